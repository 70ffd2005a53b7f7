package main

import (
	"container/list"
	"strings"
	"sync"
)

const mostCachedTokens = 10_000

// tokenCache keeps the claims of verified tokens and drops the least recently used. A nil cache keeps nothing.
type tokenCache struct {
	mu      sync.Mutex
	byToken map[string]*list.Element
	recent  *list.List // of cachedToken, most recently used first
}

type cachedToken struct {
	token  string
	claims *claims
}

func newTokenCache() *tokenCache {
	return &tokenCache{byToken: make(map[string]*list.Element), recent: list.New()}
}

func (c *tokenCache) get(token string) *claims {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.byToken[token]
	if element == nil {
		return nil
	}
	c.recent.MoveToFront(element)
	return element.Value.(cachedToken).claims
}

func (c *tokenCache) add(token string, claims *claims) {
	if c == nil {
		return
	}
	token = strings.Clone(token) // do not keep the request's header alive
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byToken[token] != nil {
		return // verified twice at the same time
	}
	c.byToken[token] = c.recent.PushFront(cachedToken{token, claims})
	if c.recent.Len() > mostCachedTokens {
		oldest := c.recent.Remove(c.recent.Back()).(cachedToken)
		delete(c.byToken, oldest.token)
	}
}
