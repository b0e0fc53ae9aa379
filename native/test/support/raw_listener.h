// A leader of another make that listens: what it answers is the test's to say.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "efl/link_service.grpc.pb.h"
#include "efl/pair_service.grpc.pb.h"
#include "efl/trainer_service.grpc.pb.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "support/raw_peer.h"

namespace efl::test {

class RawListener {
 public:
  using Stream = grpc::ServerReaderWriter<LinkMessage, LinkMessage>;
  static constexpr uint64_t kIncarnation = 7;

  // `speaks_link`: otherwise the trainer wire alone.
  explicit RawListener(bool speaks_link,
                       const std::shared_ptr<grpc::ServerCredentials>& credentials =
                           grpc::InsecureServerCredentials()) {
    pair_.owner = link_.owner = trainer_.owner = this;
    pair_.speaks_link = speaks_link;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterService(&pair_);
    builder.RegisterService(&link_);
    builder.RegisterService(&trainer_);
    server_ = builder.BuildAndStart();
  }
  ~RawListener() { server_->Shutdown(std::chrono::system_clock::now()); }

  int port() const { return port_; }
  int exchanges() const { return exchanges_; }
  // Of all kinds that there are to begin with.
  int calls() const { return calls_; }

  // Who answers from now on.
  void set_incarnation(uint64_t incarnation) { incarnation_ = incarnation; }
  // What each Hello of the pair, each Connect of the trainer wire, and each Exchange, comes to from
  // now on.
  void set_hello(std::function<grpc::Status()> hello) {
    std::lock_guard<std::mutex> lock(mutex_);
    hello_ = std::move(hello);
  }
  void set_connect(std::function<grpc::Status()> connect) {
    std::lock_guard<std::mutex> lock(mutex_);
    connect_ = std::move(connect);
  }
  void set_exchange(std::function<grpc::Status(Stream*)> exchange) {
    std::lock_guard<std::mutex> lock(mutex_);
    exchange_ = std::move(exchange);
  }
  // And each news of a send that failed early.
  void set_reset(std::function<grpc::Status(const ResetRequest&)> reset) {
    std::lock_guard<std::mutex> lock(mutex_);
    reset_ = std::move(reset);
  }

  // Lets in who has said Hello, on the terms asked for.
  static void LetIn(Stream* stream, const std::function<void(LinkWelcome*)>& change = {}) {
    LinkMessage message;
    LinkControl said, control;
    if (!stream->Read(&message)) return;
    EXPECT_TRUE(said.ParseFromString(message.control()));
    LinkWelcome* welcome = control.add_frames()->mutable_welcome();
    welcome->mutable_pair()->set_protocol_version(1);
    welcome->mutable_pair()->set_role(PARTY_ROLE_LEADER);
    welcome->mutable_pair()->set_incarnation(kIncarnation);
    *welcome->mutable_terms() = said.frames(0).hello().terms();
    if (change) change(welcome);
    control.set_message(1);
    message.Clear();
    message.set_control(control.SerializeAsString());
    message.set_control_crc32c(Crc32c(message.control().data(), message.control().size()));
    stream->Write(message);
  }
  // Until the other party has ended it.
  static grpc::Status Listen(Stream* stream) {
    LinkMessage message;
    while (stream->Read(&message)) {
    }
    return grpc::Status::OK;
  }

 private:
  struct Pair final : PairService::Service {
    grpc::Status Hello(grpc::ServerContext*, const PairHello*, PairHello* mine) override {
      ++owner->calls_;
      mine->set_protocol_version(1);
      mine->set_role(PARTY_ROLE_LEADER);
      mine->set_incarnation(owner->incarnation_);
      mine->set_link_version(speaks_link ? 1 : 0);
      const auto hello = owner->Get(&owner->hello_);
      return hello ? hello() : grpc::Status::OK;
    }
    grpc::Status Goodbye(grpc::ServerContext*, const GoodbyeRequest*, GoodbyeResponse*) override {
      ++owner->calls_;
      return grpc::Status::OK;
    }
    grpc::Status Reset(grpc::ServerContext*, const ResetRequest* request, ResetResponse*) override {
      ++owner->calls_;
      const auto reset = owner->Get(&owner->reset_);
      return reset ? reset(*request) : grpc::Status::OK;
    }
    RawListener* owner = nullptr;
    bool speaks_link = false;
  };
  struct Link final : LinkService::Service {
    grpc::Status Exchange(grpc::ServerContext*, Stream* stream) override {
      const auto exchange = owner->Get(&owner->exchange_);
      ++owner->calls_;
      ++owner->exchanges_;
      return exchange ? exchange(stream) : grpc::Status::CANCELLED;
    }
    RawListener* owner = nullptr;
  };
  struct Trainer final : TrainerService::Service {
    grpc::Status Connect(grpc::ServerContext*, const ConnectionRequest*,
                         ConnectionResponse*) override {
      ++owner->calls_;
      const auto connect = owner->Get(&owner->connect_);
      return connect ? connect() : grpc::Status::OK;
    }
    RawListener* owner = nullptr;
  };

  template <typename Function>
  Function Get(const Function* function) {
    std::lock_guard<std::mutex> lock(mutex_);
    return *function;
  }

  int port_ = 0;
  std::atomic<int> exchanges_{0}, calls_{0};
  std::atomic<uint64_t> incarnation_{kIncarnation};
  std::mutex mutex_;
  std::function<grpc::Status()> hello_, connect_;
  std::function<grpc::Status(Stream*)> exchange_;
  std::function<grpc::Status(const ResetRequest&)> reset_;
  Pair pair_;
  Link link_;
  Trainer trainer_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace efl::test
