// The other party of a pair: what is sent to it, what came from it, and the state of the two.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "communicator/call_board.h"
#include "communicator/mailbox.h"
#include "communicator/monitor.h"
#include "communicator/operation.h"
#include "communicator/options.h"
#include "grpc/client.h"
#include "grpc/probe.h"
#include "wire/inbound.h"
#include "wire/outbound.h"
#include "wire/pair/pair.h"

namespace efl {

class Peer final : public Inbound, public PairEvents, public std::enable_shared_from_this<Peer> {
 public:
  // What every operation takes. timeout_ms negative: the default.
  struct Call {
    uint64_t group = 0;
    int64_t timeout_ms = -1;
    Operation::Done done;
  };

  Peer(const Options& options, const TlsIdentity& tls, std::shared_ptr<Monitor> monitor,
       uint64_t incarnation, std::function<void()> close_node);
  ~Peer() override;

  Status RegisterTensor(const std::string& name, int32_t dtype,
                        const std::optional<std::vector<int64_t>>& dims);
  Status RegisterDataset(const std::string& name);

  void Connect(Call call);
  void SendTensor(OutgoingTensor tensor, Call call);
  void ReceiveTensor(const std::string& name, int64_t step,
                     std::function<void*(const TensorInfo&)> allocate, Call call);
  void SendReaderState(const std::string& dataset, const std::string& block_id,
                       int64_t sample_index, Call call);
  void ReceiveReaderState(const std::string& dataset, Call call);
  void TerminateReader(const std::string& dataset, Call call);
  void SendCheckpointVersion(const std::string& version, Call call);
  void ReceiveCheckpointVersion(Call call);
  void FailGroup(uint64_t group, const std::string& reason);

  int64_t step() const { return step_; }
  int64_t AddStep() { return ++step_; }
  void ResetStep() { step_ = 0; }
  int64_t pending() const { return monitor_->pending(this); }
  bool closed() const;

  // Whether the peer is an existing EFLS party; known once connected.
  bool is_efls() const;
  // Closes the node that this peer belongs to.
  void CloseNode() const { close_node_(); }

  // First ends everything that is pending, then, after the Server is gone, the rest. Each once.
  void BeginClose();
  void SayGoodbye();
  void FinishClose();

  // Inbound and PairEvents.
  void OnConnect(const QuestionPtr& question) override;
  void OnTensor(const DeliveryPtr& delivery) override { mailbox_.Deliver(delivery); }
  void OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question) override;
  void OnCheckpointQuestion(const QuestionPtr& question) override;
  Status OnHello(const Introduction& theirs) override;
  Introduction introduction() const override { return mine_; }
  void OnReset(uint64_t incarnation, const std::string& name, int64_t step,
               const Status& status) override;
  void OnGoodbye(uint64_t incarnation, const std::string& reason) override;

 private:
  enum class State { kIdle, kConnecting, kConnected, kClosed };
  static constexpr const char* kConnectTopic = "connect";  // of the CallBoard
  static Status AlreadyClosed() { return {Code::kFailedPrecondition, "Already Closed."}; }

  Subject About(const char* operation, const std::string& name = {}, int64_t step = -1) const;
  OperationPtr Make(Subject subject, Call call) const;
  // Hands it to the Monitor. False: it has ended already, and goes nowhere.
  bool Watch(const OperationPtr& operation);
  // Make, with an RPC to cancel, and Watch; a null operation has ended.
  Errand StartErrand(Subject subject, Call call, const Status& refused,
                     std::function<void(const Status&)> on_abandon = nullptr);
  void PostAnswer(const std::string& topic, Subject subject, Status status, Outcome outcome,
                  Call call, const Status& refused);
  // Why an operation can't start now, if so.
  Status CheckConnected() const;
  Status CheckDataset(const std::string& dataset) const;

  // What was started while the connection went away.
  void EndIfLost(const OperationPtr& operation) const;

  // peer_connection.cc.
  Status BeginConnect();
  Status CheckPair(const Introduction& theirs) const;
  void OnConnected(const Status& status);
  // Once the peer has answered our Hello.
  void OnMet(const Errand& errand, const Introduction* theirs);
  // Looks after the connection while it is there; when it breaks, asks for the peer until it
  // answers or reconnect_timeout_ms is over.
  // Each connection has a number, so that what looked after an earlier one stops.
  void WatchConnection(int64_t connection);
  void AskAgain(int64_t connection, Operation::Clock::time_point since);
  void OnAsked(int64_t connection, Operation::Clock::time_point since, const Status& status,
               const Introduction* theirs);
  bool IsCurrent(int64_t connection) const;
  void Lose(const Status& status);
  bool Knows(uint64_t incarnation) const;

  const Options options_;
  const Introduction mine_;
  const std::shared_ptr<Monitor> monitor_;
  const std::function<void()> close_node_;
  std::atomic<int64_t> step_{0};

  mutable std::mutex mutex_;
  State state_ = State::kIdle;
  Status lost_;  // why a connection that was there is gone
  int64_t connection_ = 0;
  bool asking_ = false;             // whether the peer is still the one it was
  uint64_t their_incarnation_ = 0;  // as its own address answered; 0: not known
  bool is_efls_ = false;

  Mailbox mailbox_;
  CallBoard board_;
  Client client_;
  Prober prober_;
  PairClient pair_;
  std::unique_ptr<Outbound> wire_;
};

}  // namespace efl
