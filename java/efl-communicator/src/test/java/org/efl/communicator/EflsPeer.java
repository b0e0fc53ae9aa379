package org.efl.communicator;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLException;
import org.efl.proto.ConnectionRequest;
import org.efl.proto.ConnectionResponse;
import org.efl.proto.GetCheckpointVersionRequest;
import org.efl.proto.GetCheckpointVersionResponse;
import org.efl.proto.GetReaderStateRequest;
import org.efl.proto.GetReaderStateResponse;
import org.efl.proto.MessageRequest;
import org.efl.proto.MessageResponse;
import org.efl.proto.TrainerServiceGrpc;

/**
 * An EFLS party that shares no code with the kernel: grpc-java, netty and its own TLS, speaking
 * {@code efl.TrainerService} alone. It listens, dials, and behaves as existing parties do; what it
 * serves is in {@link EflsService}.
 */
public final class EflsPeer implements AutoCloseable {
  /** How the two parties secure their connections. */
  public enum Security {
    PLAIN,
    /** Client TLS: servers have certificates, clients show none. */
    TLS,
    MUTUAL
  }

  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final Security security;
  private final String identity;
  private final EflsService service = new EflsService();
  private final RequestRecorder recorder = new RequestRecorder();
  private final Server server;
  private ManagedChannel channel;

  private EflsPeer(Security security, String identity) throws IOException {
    this.security = security;
    this.identity = identity;
    NettyServerBuilder builder =
        NettyServerBuilder.forPort(0)
            .executor(executor)
            .maxInboundMessageSize(1 << 30)
            .addService(
                ServerInterceptors.intercept(
                    ServerInterceptors.useInputStreamMessages(service.bindService()), recorder));
    if (security != Security.PLAIN) {
      builder.sslContext(serverContext());
    }
    server = builder.build().start();
  }

  /** Listens, with the certificate of this name. */
  public static EflsPeer listen(Security security, String identity) throws IOException {
    return new EflsPeer(security, identity);
  }

  public int port() {
    return server.getPort();
  }

  /** What it serves, and what was asked of it. */
  public EflsService service() {
    return service;
  }

  /** The requests as they came, before anything has parsed them. */
  RequestRecorder recorder() {
    return recorder;
  }

  public void dial(int port) throws SSLException {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress("localhost", port)
            .executor(executor)
            .maxInboundMessageSize(1 << 30);
    if (security == Security.PLAIN) {
      builder.usePlaintext();
    } else {
      builder.sslContext(clientContext());
    }
    channel = builder.build();
  }

  public CompletableFuture<ConnectionResponse> connect() {
    return future(stub().connect(ConnectionRequest.getDefaultInstance()));
  }

  public CompletableFuture<MessageResponse> send(MessageRequest request) {
    return future(stub().sendMessage(request));
  }

  /** Sends these bytes as the request, whether or not they are one. */
  CompletableFuture<MessageResponse> sendRaw(ByteString request) {
    var method =
        TrainerServiceGrpc.getSendMessageMethod().toBuilder(
                RequestRecorder.RAW,
                TrainerServiceGrpc.getSendMessageMethod().getResponseMarshaller())
            .build();
    return future(
        ClientCalls.futureUnaryCall(channel.newCall(method, CallOptions.DEFAULT), request));
  }

  public CompletableFuture<GetReaderStateResponse> readerState(String dataset) {
    return future(
        stub().getReaderState(GetReaderStateRequest.newBuilder().setName(dataset).build()));
  }

  public CompletableFuture<GetCheckpointVersionResponse> checkpointVersion() {
    return future(stub().getCheckpointVersion(GetCheckpointVersionRequest.getDefaultInstance()));
  }

  @Override
  public void close() {
    if (channel != null) {
      channel.shutdownNow();
    }
    server.shutdownNow();
    executor.shutdownNow();
  }

  private TrainerServiceGrpc.TrainerServiceFutureStub stub() {
    return TrainerServiceGrpc.newFutureStub(channel).withWaitForReady();
  }

  private SslContext serverContext() throws SSLException {
    SslContextBuilder builder =
        SslContextBuilder.forServer(
            Certificates.certificate(identity).toFile(), Certificates.key(identity).toFile());
    if (security == Security.MUTUAL) {
      builder.trustManager(Certificates.authority().toFile()).clientAuth(ClientAuth.REQUIRE);
    }
    return GrpcSslContexts.configure(builder, SslProvider.OPENSSL).build();
  }

  private SslContext clientContext() throws SSLException {
    SslContextBuilder builder =
        SslContextBuilder.forClient().trustManager(Certificates.authority().toFile());
    if (security == Security.MUTUAL) {
      builder.keyManager(
          Certificates.certificate(identity).toFile(), Certificates.key(identity).toFile());
    }
    return GrpcSslContexts.configure(builder, SslProvider.OPENSSL).build();
  }

  private <T> CompletableFuture<T> future(ListenableFuture<T> call) {
    CompletableFuture<T> future = new CompletableFuture<>();
    call.addListener(
        () -> {
          try {
            future.complete(call.get());
          } catch (Exception e) {
            future.completeExceptionally(e.getCause() == null ? e : e.getCause());
          }
        },
        executor);
    return future;
  }
}
