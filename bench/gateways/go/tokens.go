package main

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// claims are what the gateway uses of a token whose signature held.
type claims struct {
	expires   float64  // seconds since the epoch
	notBefore *float64 // nil: at once
	subject   *string  // nil: none
	scopes    []string
}

// verifier checks bearer tokens.
type verifier struct {
	secret    []byte
	publicKey *rsa.PublicKey
	cache     *tokenCache // nil: off
}

// authorize returns the claims of the request's token, or nil claims if none is needed.
func (v *verifier) authorize(r *http.Request, access access) (*claims, *problem) {
	if !access.token {
		return nil, nil
	}
	token, found := bearerToken(r.Header.Get("Authorization"))
	if !found {
		return nil, problemMissingToken
	}
	claims, problem := v.verify(token, time.Now())
	if problem != nil {
		return nil, problem
	}
	if access.scope != "" && !slices.Contains(claims.scopes, access.scope) {
		return nil, problemScope
	}
	return claims, nil
}

func bearerToken(authorization string) (token string, found bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimLeft(token, " ")
	return token, token != "" && strings.EqualFold(scheme, "Bearer")
}

func (v *verifier) verify(token string, now time.Time) (*claims, *problem) {
	if cached := v.cache.get(token); cached != nil {
		return cached, cached.check(now)
	}
	claims := v.parse(token)
	if claims == nil {
		return nil, problemInvalidToken
	}
	if problem := claims.check(now); problem != nil {
		return nil, problem
	}
	v.cache.add(token, claims)
	return claims, nil
}

func (c *claims) check(now time.Time) *problem {
	seconds := float64(now.UnixNano()) / 1e9
	if c.notBefore != nil && *c.notBefore > seconds {
		return problemInvalidToken
	}
	if c.expires <= seconds {
		return problemExpiredToken
	}
	return nil
}

// parse returns nil for a token that is malformed, not signed by a key of ours, or whose claims have wrong types.
func (v *verifier) parse(token string) *claims {
	signed, signature, found := cutLast(token, ".")
	if !found {
		return nil
	}
	header, payload, found := strings.Cut(signed, ".")
	if !found {
		return nil
	}
	algorithm, _ := decodePart(header)["alg"].(string)
	sum, err := base64URL.DecodeString(signature)
	if err != nil || !v.signatureHolds(algorithm, signed, sum) {
		return nil
	}
	return newClaims(decodePart(payload))
}

func (v *verifier) signatureHolds(algorithm, signed string, signature []byte) bool {
	switch {
	case algorithm == "HS256" && v.secret != nil:
		mac := hmac.New(sha256.New, v.secret)
		mac.Write([]byte(signed))
		return hmac.Equal(mac.Sum(nil), signature)
	case algorithm == "RS256" && v.publicKey != nil:
		digest := sha256.Sum256([]byte(signed))
		return rsa.VerifyPKCS1v15(v.publicKey, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

func newClaims(members map[string]any) *claims {
	expires, ok := members["exp"].(float64)
	if !ok {
		return nil
	}
	c := &claims{expires: expires}
	if value, present := members["nbf"]; present {
		notBefore, ok := value.(float64)
		if !ok {
			return nil
		}
		c.notBefore = &notBefore
	}
	if value, present := members["sub"]; present {
		subject, ok := value.(string)
		if !ok {
			return nil
		}
		c.subject = &subject
	}
	if value, present := members["scope"]; present {
		scope, ok := value.(string)
		if !ok {
			return nil
		}
		c.scopes = strings.Split(scope, " ")
	}
	return c
}

// base64URL refuses stray bits, so that a token has one spelling.
var base64URL = base64.RawURLEncoding.Strict()

// decodePart returns the object that a part of a token holds, or nil.
func decodePart(part string) map[string]any {
	text, err := base64URL.DecodeString(part)
	if err != nil {
		return nil
	}
	value, _ := parseJSON(text)
	object, _ := value.(map[string]any)
	return object
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
