package gateway;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;

/**
 * Makes a request of a version other than HTTP/1.0 and HTTP/1.1 a malformed one. Left to itself,
 * Vert.x answers 501 to it, without a body.
 */
@Sharable
final class VersionCheck extends ChannelInboundHandlerAdapter {
  static final VersionCheck INSTANCE = new VersionCheck();

  private VersionCheck() {}

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof HttpRequest request) {
      HttpVersion version = request.protocolVersion();
      if (!version.equals(HttpVersion.HTTP_1_1) && !version.equals(HttpVersion.HTTP_1_0)) {
        // The answer is of the request's version, so that must be one that exists.
        request.setProtocolVersion(HttpVersion.HTTP_1_1);
        request.setDecoderResult(
            DecoderResult.failure(new IllegalArgumentException("unknown version " + version)));
      }
    }
    context.fireChannelRead(message);
  }
}
