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
#include "wire/link/link.h"
#include "wire/outbound.h"
#include "wire/pair/pair.h"
#include "wire/trainer/trainer_client.h"

namespace efl {

class Peer final : public Inbound,
                   public PairEvents,
                   public LinkHost,
                   public std::enable_shared_from_this<Peer> {
 public:
  // What every operation takes. timeout_ms negative: the default.
  struct Call {
    uint64_t group = 0;
    int64_t timeout_ms = -1;
    Operation::Done done;
  };

  Peer(const Options& options, const TlsIdentity& tls, std::shared_ptr<Monitor> monitor,
       uint64_t incarnation, Server* server, std::function<void()> close_node);
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

  // Events of a stream that somebody has opened to this party.
  StreamEventsPtr AcceptStream();

  // Inbound, PairEvents and LinkHost.
  void OnConnect(const QuestionPtr& question) override;
  void OnTensor(const DeliveryPtr& delivery) override { mailbox_.Deliver(delivery); }
  void OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question) override;
  void OnCheckpointQuestion(const QuestionPtr& question) override;
  Status OnHello(const Introduction& theirs) override;
  void OnSendFailed(const std::string& name, int64_t step, const Status& status) override;
  Introduction introduction() const override { return mine_; }
  void OnReset(uint64_t incarnation, const std::string& name, int64_t step,
               const Status& status) override;
  void OnGoodbye(uint64_t incarnation, const std::string& reason) override;
  Status OnLinkHello(const Introduction& theirs) override;
  void OnLinkStranger(const Introduction& theirs) override;
  void OnLinkUp(const Introduction& theirs) override;
  void OnLinkLost(const Status& status) override { Lose(status); }

 private:
  enum class State { kIdle, kConnecting, kConnected, kClosed };
  static constexpr const char* kConnectTopic = "connect";  // of the CallBoard
  static Status AlreadyClosed() { return {Code::kFailedPrecondition, "Already Closed."}; }

  Subject About(const char* operation, const std::string& name = {}, int64_t step = -1) const;
  OperationPtr Make(Subject subject, Call call) const;
  // Hands it to the Monitor. False: it has ended already, and goes nowhere.
  bool Watch(const OperationPtr& operation);
  // Make, with something to cancel, and Watch. A null operation was refused; any other may have
  // ended already, which whoever holds its slot learns.
  Errand StartErrand(Subject subject, Call call, const Status& refused);
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
  void RefusedTo(const Status& wrong);
  Status ChooseWire(const Introduction* theirs);
  void ConnectOverWire(const Errand& errand);
  void LogPeer(const Introduction& theirs) const;
  // For texts: the address, or what a peer that only dials calls itself.
  std::string PeerName() const;
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
  const bool listens_;
  const Introduction mine_;
  const std::shared_ptr<Monitor> monitor_;
  const std::function<void()> close_node_;
  std::atomic<int64_t> step_{0};

  mutable std::mutex mutex_;
  State state_ = State::kIdle;
  Status lost_;  // why a connection that was there is gone
  int64_t connection_ = 0;
  bool asking_ = false;             // whether the peer is still the one it was
  uint64_t their_incarnation_ = 0;  // as its own address answered, or its link; 0: not known
  std::string their_party_id_;
  bool is_efls_ = false;

  Mailbox mailbox_;
  CallBoard board_;
  Client client_;
  Prober prober_;
  PairClient pair_;
  TrainerClient trainer_;
  const std::shared_ptr<Link> link_;
  std::atomic<Outbound*> wire_;  // one of the two, as of the last connect
};

}  // namespace efl
