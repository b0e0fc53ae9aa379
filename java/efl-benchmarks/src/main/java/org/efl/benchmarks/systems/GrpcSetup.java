package org.efl.benchmarks.systems;

import io.grpc.ManagedChannel;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import javax.net.ssl.SSLException;

/**
 * grpc-java as its documentation tunes it for throughput: a window that holds a tensor, callbacks
 * on the transport's threads, BoringSSL.
 */
final class GrpcSetup {
  private static final int WINDOW = 64 << 20;

  private GrpcSetup() {}

  static NettyServerBuilder server(ChildOptions options) throws SSLException {
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), options.port);
    NettyServerBuilder builder = NettyServerBuilder.forAddress(address);
    if (options.tls.isPresent()) {
      builder.sslContext(serverTls(options.tls.get()));
    }
    return tuned(builder);
  }

  static NettyServerBuilder tuned(NettyServerBuilder builder) {
    return builder
        .flowControlWindow(WINDOW)
        .maxInboundMessageSize(Integer.MAX_VALUE)
        .directExecutor();
  }

  static ManagedChannel channel(ChildOptions options) throws SSLException {
    NettyChannelBuilder builder = NettyChannelBuilder.forAddress("localhost", options.port);
    if (options.tls.isPresent()) {
      builder.sslContext(clientTls(options.tls.get()));
    } else {
      builder.usePlaintext();
    }
    return builder
        .flowControlWindow(WINDOW)
        .maxInboundMessageSize(Integer.MAX_VALUE)
        .directExecutor()
        .build();
  }

  private static SslContext serverTls(Path directory) throws SSLException {
    return GrpcSslContexts.forServer(
            directory.resolve("leader.crt").toFile(), directory.resolve("leader.key").toFile())
        .trustManager(directory.resolve("ca.crt").toFile())
        .clientAuth(ClientAuth.REQUIRE)
        .build();
  }

  private static SslContext clientTls(Path directory) throws SSLException {
    return GrpcSslContexts.forClient()
        .keyManager(
            directory.resolve("follower.crt").toFile(), directory.resolve("follower.key").toFile())
        .trustManager(directory.resolve("ca.crt").toFile())
        .build();
  }
}
