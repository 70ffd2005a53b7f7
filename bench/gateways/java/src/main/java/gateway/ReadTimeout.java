package gateway;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Bounds the time for a request's header, and for its body. Vert.x's idle timeout does neither: it
 * starts anew at every byte, and it closes connections that merely wait for their next request.
 *
 * <p>Only a request that does not arrive in one read ever costs a timer. The price: the beginning
 * of a header that comes in one read with the end of the request before it is timed from its second
 * read on.
 */
final class ReadTimeout extends ChannelInboundHandlerAdapter {
  private final long timeoutMs;
  private final Runnable onLateBody;
  private boolean inBody;
  private boolean requestEnded;
  private ScheduledFuture<?> timer;

  /** A late header closes the connection, a late body is the callback's to answer. */
  ReadTimeout(long timeoutMs, Runnable onLateBody) {
    this.timeoutMs = timeoutMs;
    this.onLateBody = onLateBody;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof HttpRequest) {
      inBody = true;
      stop();
    }
    if (message instanceof LastHttpContent) {
      inBody = false;
      requestEnded = true;
      stop();
    }
    context.fireChannelRead(message);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    // Bytes came and no request ended with them: there is a part of one.
    if (timer == null && (inBody || !requestEnded)) {
      timer = context.executor().schedule(() -> expire(context), timeoutMs, TimeUnit.MILLISECONDS);
    }
    requestEnded = false;
    context.fireChannelReadComplete();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stop();
    context.fireChannelInactive();
  }

  private void expire(ChannelHandlerContext context) {
    timer = null;
    if (inBody) {
      onLateBody.run();
    } else {
      context.close();
    }
  }

  private void stop() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }
}
