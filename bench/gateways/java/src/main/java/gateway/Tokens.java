package gateway;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/** Bearer tokens (§6): JWTs signed with HS256 or RS256. */
final class Tokens {
  private static final int CACHED_TOKENS = 10_000;

  private final Optional<SecretKey> hs256;
  private final Optional<PublicKey> rs256;
  private final Optional<Cache> cache;

  Tokens(Optional<SecretKey> hs256, Optional<PublicKey> rs256, boolean cached) {
    this.hs256 = hs256;
    this.rs256 = rs256;
    this.cache = cached ? Optional.of(new Cache()) : Optional.empty();
  }

  /** The claims that count; {@code notBefore} is −∞ and {@code subject} null where absent. */
  private record Claims(double expiry, double notBefore, String subject, Set<String> scopes) {}

  /** Tokens whose signature held, least recently used out first. All workers share it. */
  private static final class Cache {
    private final Map<String, Claims> claims =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<String, Claims> eldest) {
            return size() > CACHED_TOKENS;
          }
        };

    synchronized Claims get(String token) {
      return claims.get(token);
    }

    synchronized void put(String token, Claims verified) {
      claims.put(token, verified);
    }
  }

  /**
   * Demands a token that holds, with {@code scope} among its scopes unless that is null.
   *
   * @param authorization the Authorization header, or null
   * @return the token's subject, or null
   * @throws Refusal if there is no token, it does not hold, or it lacks the scope
   */
  String require(String authorization, String scope) {
    String token = bearer(authorization);
    Claims known = cache.map(it -> it.get(token)).orElse(null);
    Claims claims = known == null ? verify(token) : known;
    double now = System.currentTimeMillis() / 1_000.0;
    if (claims.expiry <= now) {
      throw new Refusal(Problem.EXPIRED_TOKEN, "token has expired");
    }
    if (claims.notBefore > now) {
      throw invalid("token does not hold yet");
    }
    if (known == null) {
      cache.ifPresent(it -> it.put(token, claims));
    }
    if (scope != null && !claims.scopes.contains(scope)) {
      throw new Refusal(Problem.INSUFFICIENT_SCOPE, "token lacks the scope " + scope);
    }
    return claims.subject;
  }

  private static String bearer(String authorization) {
    if (authorization != null && authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
      String token = authorization.substring(7).strip();
      if (!token.isEmpty()) {
        return token;
      }
    }
    throw new Refusal(Problem.MISSING_TOKEN, "Authorization: Bearer <token> is required");
  }

  private Claims verify(String token) {
    int first = token.indexOf('.');
    int second = token.indexOf('.', first + 1);
    if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) {
      throw invalid("token is not three parts");
    }
    Object algorithm = object(token.substring(0, first)).get("alg");
    byte[] signed = token.substring(0, second).getBytes(StandardCharsets.UTF_8);
    byte[] signature = decode(token.substring(second + 1));
    if (!holds(algorithm, signed, signature)) {
      throw invalid("signature does not hold");
    }
    return claims(object(token.substring(first + 1, second)));
  }

  private boolean holds(Object algorithm, byte[] signed, byte[] signature) {
    try {
      if ("HS256".equals(algorithm) && hs256.isPresent()) {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(hs256.get());
        return MessageDigest.isEqual(mac.doFinal(signed), signature);
      }
      if ("RS256".equals(algorithm) && rs256.isPresent()) {
        Signature verifier = Signature.getInstance("SHA256withRSA");
        verifier.initVerify(rs256.get());
        verifier.update(signed);
        return verifier.verify(signature);
      }
      throw invalid("algorithm is not accepted");
    } catch (GeneralSecurityException e) {
      // A signature of the wrong length, for one.
      return false;
    }
  }

  private static Claims claims(Map<?, ?> payload) {
    if (!(payload.get("exp") instanceof Json.Number expiry)) {
      throw invalid("exp must be a number");
    }
    double notBefore = Double.NEGATIVE_INFINITY;
    if (payload.containsKey("nbf")) {
      if (!(payload.get("nbf") instanceof Json.Number number)) {
        throw invalid("nbf must be a number");
      }
      notBefore = number.value();
    }
    String scope = text(payload, "scope");
    return new Claims(
        expiry.value(),
        notBefore,
        text(payload, "sub"),
        scope == null ? Set.of() : Set.copyOf(java.util.List.of(scope.split(" "))));
  }

  private static String text(Map<?, ?> payload, String claim) {
    if (!payload.containsKey(claim)) {
      return null;
    }
    if (payload.get(claim) instanceof String text) {
      return text;
    }
    throw invalid(claim + " must be a string");
  }

  private static Map<?, ?> object(String part) {
    try {
      if (Json.parse(decode(part)) instanceof Map<?, ?> members) {
        return members;
      }
    } catch (IOException e) {
      // Refused below, as what is JSON but no object.
    }
    throw invalid("token is malformed");
  }

  private static byte[] decode(String base64Url) {
    // JWTs are unpadded (RFC 7515 §2); the decoder would take padding.
    if (base64Url.indexOf('=') < 0) {
      try {
        return Base64.getUrlDecoder().decode(base64Url);
      } catch (IllegalArgumentException e) {
        // Refused below, as padding is.
      }
    }
    throw invalid("token is malformed");
  }

  private static Refusal invalid(String message) {
    return new Refusal(Problem.INVALID_TOKEN, message);
  }
}
