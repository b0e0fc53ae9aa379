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

#include "base/operation.h"
#include "base/tensor.h"
#include "communicator/call_board.h"
#include "communicator/mailbox.h"
#include "communicator/monitor.h"
#include "communicator/options.h"
#include "communicator/peer_identity.h"
#include "communicator/peer_state.h"
#include "governance/governance.h"
#include "grpc/client.h"
#include "grpc/probe.h"
#include "wire/inbound.h"
#include "wire/link/link.h"
#include "wire/outbound.h"
#include "wire/pair/pair.h"
#include "wire/trainer/trainer_client.h"

namespace efl {

// What a peer has done so far, and how it stands.
struct PeerStats {
  PeerStanding standing;
  int64_t tensors_sent = 0;  // accepted by the peer, or consumed
  int64_t tensors_received = 0;
  int64_t bytes_sent = 0;  // content of those
  int64_t bytes_received = 0;
  int64_t pending = 0;          // operations
  int64_t in_flight_bytes = 0;  // on the way over the link, sent and not credited
  int64_t parked_tensors = 0;   // arrived, or announced, and not asked for
  int64_t parked_bytes = 0;
  int64_t reconnects = 0;  // connections made again
  int64_t retransmitted_bytes = 0;
  int64_t checksum_failures = 0;
  int64_t round_trip_us = -1;  // the latest; -1: not known
};

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

  Peer(const Options& options, TlsFilesPtr tls, std::shared_ptr<Monitor> monitor,
       std::shared_ptr<Governance> governance, uint64_t incarnation, Server* server,
       std::function<void()> close_node);
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
  // "link" or "trainer", of the latest connection; "" before the first.
  const char* wire() const { return wire_name_; }
  PeerStanding standing() const { return states_.now(); }
  PeerStats stats() const;
  // See PeerStates.
  uint64_t AddListener(PeerStates::Listener listener) { return states_.Add(std::move(listener)); }
  void RemoveListener(uint64_t id) { states_.Remove(id); }
  // After each change of what a state follows from, without a lock held.
  void Refresh();
  // Closes the node that this peer belongs to.
  void CloseNode() const { close_node_(); }

  // First ends everything that is pending, then, after the Server is gone, the rest. Each once.
  void BeginClose();
  void SayGoodbye();
  void FinishClose();

  // Events of a stream that somebody has opened to this party; null and the reason when it may not.
  StreamEventsPtr AcceptStream(const PeerCertificatePtr& caller, Status* refused);

  const TlsFilesPtr& tls() const { return tls_; }
  // They are others now. May end operations.
  void OnTlsFilesChanged();
  // Somebody was sent away for the certificate.
  void OnCallerRefused(const PeerCertificatePtr& caller, const Status& why) {
    link_->OnCallerRefused(caller, why);
  }

  // Inbound, PairEvents and LinkHost.
  void OnConnect(const QuestionPtr& question) override;
  uint64_t admission() const override { return admission_; }
  void OnTensor(const DeliveryPtr& delivery, uint64_t admitted) override {
    mailbox_.Deliver(delivery, admitted);
  }
  void OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question,
                             uint64_t admitted) override;
  void OnCheckpointQuestion(const QuestionPtr& question, uint64_t admitted) override;
  Status CheckCaller(const PeerCertificatePtr& caller) const override;
  Status OnHello(const Introduction& theirs, const PeerCertificatePtr& caller) override;
  void OnSendFailed(const std::string& name, int64_t step, const Status& status,
                    uint64_t admitted) override;
  Introduction introduction() const override { return mine_; }
  void OnReset(uint64_t incarnation, const std::string& name, int64_t step,
               const Status& status) override;
  void OnGoodbye(uint64_t incarnation, const std::string& reason) override;
  Status OnLinkHello(const Introduction& theirs, const PeerCertificatePtr& caller) override;
  Status OnLinkWelcome(const Introduction& theirs) override;
  void OnLinkStranger(const Introduction& theirs, const PeerCertificatePtr& caller) override;
  void OnLinkUp(const Introduction& theirs) override;
  void OnLinkDown() override { Refresh(); }
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
  void PostAnswer(const std::string& topic, Subject subject, Answer answer, Call call,
                  const Status& refused);
  // Why an operation can't start now, if so.
  Status CheckConnected() const;
  Status CheckDataset(const std::string& dataset) const;

  // Whether all of it may leave, recorded if so.
  Status LetOut(const TensorInfo& info);
  // An answer that the policy may have something against.
  void PostText(EgressText kind, const std::string& dataset, const std::string& topic,
                const Subject& subject, const Outcome& outcome, Call call, const Status& refused);
  // A `done` that is given an answer once that is recorded.
  void Record(EgressText kind, const std::string& dataset, const Subject& subject, Call* call);
  Counterpart PeerForLedger() const;

  // What was started while the connection went away.
  void EndIfLost(const OperationPtr& operation) const;

  // peer_standing.cc. Under the lock.
  PeerStanding Judge() const;
  // Counts what ends well.
  Operation::Done CountSent(size_t bytes, Operation::Done done) const;

  // peer_connection.cc.
  Status BeginConnect();
  Status CheckIncarnation(const Introduction& theirs) const;
  void MeetAgain(const Introduction& caller);
  void OnMetAgain(const Introduction* theirs);
  void RefusedTo(const Status& wrong);
  // A caller whose certificate isn't the peer's.
  void RefuseCaller(const PeerCertificatePtr& caller, const Status& wrong);
  // New calls go over new connections, with certificates as they are now at both ends.
  void RenewConnections();
  Status ChooseWire(const Introduction* theirs);
  void ConnectOverWire(const Errand& errand);
  void LogPeer(const Introduction& theirs) const;
  // For texts: the address, or what a peer that only dials calls itself.
  std::string PeerName() const;
  void OnConnected(const Status& status);
  // Once the peer has answered our Hello.
  void OnMet(const Errand& errand, const Introduction* theirs);
  void BindTo(const Introduction& theirs);
  // peer_watch.cc. Looks after the connection while it is there; when it breaks, asks for the peer
  // until it answers or reconnect_timeout_ms is over. Each connection has a number, so that what
  // looked after an earlier one stops.
  void WatchConnection(int64_t connection, Operation::Clock::time_point last_asked);
  void AnswerAgain(const QuestionPtr& question);
  void OnConnectChecked(int64_t connection, const QuestionPtr& question, const Status& status,
                        const Introduction* theirs);
  // `watches`: of what looks after the connection; otherwise only another incarnation matters.
  void AskAgain(int64_t connection, Operation::Clock::time_point since, bool watches = true);
  void OnAsked(int64_t connection, Operation::Clock::time_point since, bool watches,
               const Status& status, const Introduction* theirs);
  void Miss(const Status& why);
  Status Missing() const;
  bool IsCurrent(int64_t connection) const;
  void Lose(const Status& status);
  bool Knows(uint64_t incarnation) const;

  const Options options_;
  const bool listens_;
  const Introduction mine_;
  const TlsFilesPtr tls_;
  const std::shared_ptr<PeerIdentity> identity_;
  const std::shared_ptr<Monitor> monitor_;
  const std::shared_ptr<Governance> governance_;
  RefusalLog* const refusals_;  // the server's
  const std::function<void()> close_node_;
  std::atomic<int64_t> step_{0};

  mutable std::mutex mutex_;
  State state_ = State::kIdle;
  Status lost_;            // why a connection that was there is gone
  Status connect_failed_;  // why there was none
  int64_t connection_ = 0;
  std::atomic<uint64_t> admission_{0};  // raised when somebody else may be the peer
  bool asking_ = false;                 // whether the peer is still the one it was
  Status missing_;                      // over the trainer wire: why the peer isn't there now
  std::optional<Operation::Clock::time_point> refused_since_;  // likewise: for the certificate
  uint64_t their_incarnation_ = 0;  // as its own address answered, or its link; 0: not known
  std::string their_party_id_;
  bool is_efls_ = false;

  struct Counters {
    std::atomic<int64_t> tensors_sent{0}, tensors_received{0}, bytes_sent{0}, bytes_received{0};
    std::atomic<int64_t> reconnects{0}, round_trip_us{-1};  // over the trainer wire
  };
  // Operations may outlive the peer.
  const std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  std::atomic<const char*> wire_name_{""};
  PeerStates states_;

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
