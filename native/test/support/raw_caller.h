// Single calls by a party of another make, with gRPC's own stubs.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "efl/pair_service.grpc.pb.h"
#include "efl/trainer_service.grpc.pb.h"
#include "grpc/grpc_status.h"
#include "grpc/tls.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "support/pair.h"
#include "wire/messages.h"
#include "wire/trainer/tensor_codec.h"

namespace efl::test {

inline std::string ContentOfFile(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// As who holds these files.
inline std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const TlsOptions& tls) {
  return grpc::SslCredentials({ContentOfFile(tls.peer_certs_file), ContentOfFile(tls.my_key_file),
                               ContentOfFile(tls.my_certs_file)});
}
inline std::shared_ptr<grpc::ServerCredentials> ServerCredentialsOf(const TlsOptions& tls) {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back(
      {ContentOfFile(tls.my_key_file), ContentOfFile(tls.my_certs_file)});
  return grpc::SslServerCredentials(options);
}

class RawCaller {
 public:
  explicit RawCaller(int port, const std::shared_ptr<grpc::ChannelCredentials>& credentials =
                                   grpc::InsecureChannelCredentials())
      : channel_(grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), credentials)),
        pair_(PairService::NewStub(channel_)),
        trainer_(TrainerService::NewStub(channel_)) {}

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Introduces itself as a party of this role and incarnation.
  Status Hello(PartyRole role, uint64_t incarnation, const std::string& party_id = "raw") {
    grpc::ClientContext context;
    Limit(&context);
    PairHello hello, answer;
    hello.set_protocol_version(1);
    hello.set_role(role);
    hello.set_party_id(party_id);
    hello.set_incarnation(incarnation);
    hello.set_link_version(1);
    hello.set_dials(true);
    return FromGrpc(pair_->Hello(&context, hello, &answer));
  }

  Status Connect() {
    grpc::ClientContext context;
    Limit(&context);
    ConnectionResponse answer;
    return FromGrpc(trainer_->Connect(&context, {}, &answer));
  }

  Status Goodbye(uint64_t incarnation) {
    grpc::ClientContext context;
    Limit(&context);
    GoodbyeRequest request;
    GoodbyeResponse answer;
    request.set_incarnation(incarnation);
    return FromGrpc(pair_->Goodbye(&context, request, &answer));
  }

  // These wait for the other party's answer meanwhile.
  std::future<Status> Send(OutgoingTensor tensor) {
    grpc::ByteBuffer bytes = EncodeMessageRequest(std::move(tensor));
    MessageRequest request;
    EXPECT_TRUE(Decode(&bytes, &request));
    return std::async(std::launch::async, [this, request] {
      grpc::ClientContext context;
      Limit(&context);
      MessageResponse answer;
      const grpc::Status status = trainer_->SendMessage(&context, request, &answer);
      return status.ok() ? OutcomeOf(answer) : FromGrpc(status);
    });
  }
  std::future<Status> AskCheckpointVersion() {
    return std::async(std::launch::async, [this] {
      grpc::ClientContext context;
      Limit(&context);
      GetCheckpointVersionResponse answer;
      const grpc::Status status = trainer_->GetCheckpointVersion(&context, {}, &answer);
      return status.ok() ? OutcomeOf(answer) : FromGrpc(status);
    });
  }

 private:
  static void Limit(grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() + kLimit);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<PairService::Stub> pair_;
  const std::unique_ptr<TrainerService::Stub> trainer_;
};

}  // namespace efl::test
