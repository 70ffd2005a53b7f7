package gateway;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** The keys that tokens are verified with, from the settings. */
final class Keys {
  private static final String BEGIN = "-----BEGIN PUBLIC KEY-----";
  private static final String END = "-----END PUBLIC KEY-----";

  private Keys() {}

  static Optional<SecretKey> hs256(Config config) throws Config.Invalid {
    if (config.hs256Secret().isEmpty()) {
      return Optional.empty();
    }
    try {
      byte[] secret = Base64.getUrlDecoder().decode(config.hs256Secret().get());
      return Optional.of(new SecretKeySpec(secret, "HmacSHA256"));
    } catch (IllegalArgumentException e) {
      throw new Config.Invalid("GATEWAY_JWT_HS256_SECRET", "must be base64url, and not empty");
    }
  }

  static Optional<PublicKey> rs256(Config config) throws Config.Invalid {
    if (config.rs256PublicKey().isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(read(config.rs256PublicKey().get()));
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      throw new Config.Invalid(
          "GATEWAY_JWT_RS256_PUBLIC_KEY", "must name a PEM file with an RSA public key: " + e);
    }
  }

  private static PublicKey read(Path file) throws IOException, GeneralSecurityException {
    String pem = Files.readString(file, StandardCharsets.US_ASCII);
    int begin = pem.indexOf(BEGIN);
    int end = pem.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException("there is no " + BEGIN);
    }
    byte[] der = Base64.getMimeDecoder().decode(pem.substring(begin + BEGIN.length(), end));
    return KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der));
  }
}
