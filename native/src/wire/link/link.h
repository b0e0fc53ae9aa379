// The streaming wire of one peer: what is on its way in both directions, over connections that come
// and go. docs/protocol.md has the rules.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "efl/link_service.pb.h"
#include "wire/inbound.h"
#include "wire/link/encoding.h"
#include "wire/link/incoming.h"
#include "wire/link/link_message.h"
#include "wire/link/outgoing.h"
#include "wire/link/patience.h"
#include "wire/outbound.h"
#include "wire/pair/pair.h"

namespace efl {

// What a peer may ask for at least: chunks of a few bytes would keep this party busy with their
// frames.
constexpr uint32_t kShortestChunk = 1 << 10;

struct LinkOptions {
  uint64_t window_bytes = 0;
  uint32_t chunk_bytes = 0;
  uint32_t connections = 1;    // at most
  bool spread_at_once = true;  // false: on a long line alone
  int64_t reconnect_timeout_ms = 0;
  int64_t keepalive_interval_ms = 0;  // 0: none
  int64_t keepalive_timeout_ms = 0;   // at most
  bool await_consumption = false;
  EncodingRules encodings;
};

// The Peer behind a link. Called without a lock of the link held.
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  // Whether the two belong together: a party that has dialled, and one that was dialled.
  virtual Status OnLinkHello(const Introduction& theirs, const PeerCertificatePtr& caller) = 0;
  virtual Status OnLinkWelcome(const Introduction& theirs) = 0;
  // Another party than the one the link is with says Hello; maybe the peer has restarted.
  virtual void OnLinkStranger(const Introduction& theirs, const PeerCertificatePtr& caller) = 0;
  virtual void OnLinkUp(const Introduction& theirs) = 0;
  // The connection broke, and is to be made again.
  virtual void OnLinkDown() = 0;
  // The link is over, and all that was under way has failed.
  virtual void OnLinkLost(const Status& status) = 0;
};

// What a link has done so far, and how it stands.
struct LinkFigures {
  bool down = false;  // there is a link, but no connection now
  Status down_cause;
  uint64_t on_the_way_bytes = 0;
  uint64_t reconnects = 0;
  uint64_t retransmitted_bytes = 0;
  uint64_t checksum_failures = 0;
  int64_t round_trip_us = -1;  // the latest; -1: not known
};

class Link final : public Outbound,
                   public IncomingEvents,
                   public std::enable_shared_from_this<Link> {
 public:
  // `client` has to be closed before this is destroyed; inbound and host outlive it.
  Link(Client* client, LinkOptions options, Introduction mine, Inbound* inbound, LinkHost* host);
  ~Link() override;

  // Whether Connect dials, or waits for the peer to do so.
  void set_dials(bool dials) { dials_ = dials; }

  // Outbound.
  void Connect(const Errand& errand) override;
  void SendTensor(const Errand& errand, OutgoingTensor tensor) override;
  void AskReaderState(const Errand& errand, const std::string& dataset) override;
  void AskCheckpointVersion(const Errand& errand) override;
  void TellFailed(const std::string& name, int64_t step, const Status& status) override;
  void SayGoodbye(const std::string& reason) override;

  // Events of a stream that the peer has opened. `keep` lives as long as they do.
  StreamEventsPtr Accept(std::shared_ptr<void> keep, PeerCertificatePtr caller);

  // Lets go of the connections and of what is under way, which ends with this status when the
  // function returned is called. The link may be connected again at once.
  std::function<void()> Detach(const Status& status);
  // Ends a connect that waits for the peer to dial.
  void Refuse(const Status& status);
  // Somebody was sent away for the certificate: says so where the peer is waited for, and ends a
  // link that waits for whose certificate that was.
  void OnCallerRefused(const PeerCertificatePtr& caller, const Status& why);
  // Whether it is there, if only to be connected again.
  bool up();
  LinkFigures figures() const;

  // IncomingEvents.
  void OnArrived(IncomingTransfer* transfer) override;
  void OnAnswered(IncomingTransfer* transfer, const Status& status) override;
  void OnWanted(IncomingTransfer* transfer) override;

 private:
  class Connection;
  class LinkQuestion;
  using Clock = std::chrono::steady_clock;
  using ConnectionPtr = std::shared_ptr<Connection>;
  using IncomingPtr = std::shared_ptr<IncomingTransfer>;
  enum class Phase { kIdle, kConnecting, kUp, kDown };

  // What the peer has to take, kept until it has.
  struct Sequenced {
    LinkFrame frame;
    std::function<void(bool)> taken;
  };
  // Frames that the peer hasn't taken, beyond which nothing is asked of it and no failure of a send
  // is told any more.
  static constexpr size_t kMostLogged = 1 << 18;
  // When a frame was taken: it is heeded while that life of the link lasts, whatever becomes of the
  // connection, and by the peer while nobody was let in after this admission.
  struct Since {
    uint64_t life;
    uint64_t admission;
  };
  // A decision taken under the lock, acted on after it.
  using Consequences = std::vector<std::function<void()>>;

  // link_connect.cc and link_dial.cc: how connections come, break and are dialled again.
  // Unless the connections aren't those of that epoch any more, as all that follows.
  void Dial(uint32_t index, uint64_t epoch);
  void LimitHandshake(const ConnectionPtr& connection);
  void OnOpen(const ConnectionPtr& connection);
  void OnClosed(const ConnectionPtr& connection, const grpc::Status& status);
  // Attached until now: what was on it waits for the next one. False: it wasn't.
  bool Fall(const ConnectionPtr& connection, const Status& why);
  void DialNow(uint32_t index, uint64_t epoch);
  void DialAnotherSoon(uint64_t epoch, uint64_t attempt);
  void OnDialFailed(uint32_t index, uint64_t epoch, const Status& status, bool latest);
  void DialSides(Clock::duration round_trip, uint64_t epoch);
  void AwaitReturn(uint64_t epoch);
  std::chrono::milliseconds ReconnectTimeout() const;
  // Under the lock, when a certificate is refused: since when it has been, in this outage.
  Clock::duration RefusedFor();
  void EndConnecting(const Status& status, uint64_t epoch);
  // Of this connect, as what follows.
  void OnConnected(const OperationPtr& connected);
  void CancelConnecting(const OperationPtr& connect);
  bool IsAttached(const Connection& connection) const;
  // Attached, and to be listened to.
  bool IsCurrent(const Connection& connection) const;

  // link_keepalive.cc: whether the other party is still there.
  void Watch(const ConnectionPtr& connection);
  void LookAfter(const ConnectionPtr& connection, Clock::time_point planned);
  void OnHeard(const ConnectionPtr& connection, const LinkControl& control);
  std::chrono::milliseconds KeepaliveInterval() const;

  // link_handshake.cc: how a connection begins.
  void OnHandshake(const ConnectionPtr& connection, const LinkControl& control);
  void OnHello(const ConnectionPtr& connection, const LinkHello& hello);
  void OnWelcome(const ConnectionPtr& connection, const LinkWelcome& welcome);
  // Under the lock: why this Hello is not let in; OK: it is.
  Status Admit(const ConnectionPtr& connection, const LinkHello& hello, const Introduction& theirs,
               Consequences* then);
  void LetIn(const ConnectionPtr& connection, const Introduction& theirs, Consequences* then);
  // Under the lock: connection 0 is there, and the peer stands where it says.
  void Attach(const ConnectionPtr& connection, const LinkState& theirs, Consequences* then);
  // `connected`: the connect that waited for it; null: none.
  void OnAttached(const Introduction& theirs, const OperationPtr& connected);
  static Status CheckTerms(const LinkTerms& theirs);
  void SetTerms(const LinkTerms& theirs);
  // Under the lock: bytes of the first message of a connection, at most.
  size_t LongestHandshake() const;
  LinkHello HelloFor(uint32_t index) const;
  LinkState State() const;
  void WriteHandshake(const ConnectionPtr& connection, LinkFrame frame);

  // link_end.cc: how a link ends.
  void OnViolation(const ConnectionPtr& connection, const std::string& what);
  // Under the lock.
  Status TooLate(const std::string& why) const;
  // Unless the connections aren't those of that epoch any more.
  void Lose(const Status& status, uint64_t epoch);
  void LoseWith(const ConnectionPtr& connection, const Status& status);
  void LoseInLife(uint64_t life, const Status& status);
  void LoseLocked(const Status& status, std::unique_lock<std::mutex>* lock);
  std::function<void()> DetachLocked(const Status& status);

  // link_calls.cc: questions and answers.
  void Ask(const Errand& errand, LinkCall call);
  void CancelAsk(uint64_t life, uint64_t call);
  void Reply(uint64_t life, uint64_t call, const Status& status, const Outcome& outcome,
             std::function<void(bool)> sent);
  void OnCall(const Since& since, const LinkCall& call);
  void OnCallCancel(const Since& since, const LinkCallCancel& cancel);
  void OnReply(const Since& since, const LinkReply& reply);

  // link.cc: what goes out.
  LinkFrame* Append(std::function<void(bool)> taken = nullptr);
  void Pump();
  // Under the lock; the message to write on this connection, false when there is none.
  bool Compose(Connection* connection, LinkControl* control, std::vector<Outgoing::Next>* chunks);
  // `room`: for bytes of frames.
  void ComposeFrames(size_t* room, LinkControl* control);
  void ComposeCredits(size_t* room, LinkControl* control);
  void ComposeChunks(bool only_known, size_t* room, LinkControl* control,
                     std::vector<Outgoing::Next>* chunks);
  void CancelSend(uint64_t life, uint64_t transfer, const Status& why);
  void SendDone(const IncomingTransfer& transfer, const Status& status);
  void Taken(uint64_t count, Consequences* then);

  // link_inbound.cc: what comes in.
  void OnMessage(const ConnectionPtr& connection, grpc::ByteBuffer* bytes);
  bool BeginMessage(const ConnectionPtr& connection, const LinkControl& control);
  void EndMessage(const ConnectionPtr& connection);
  // False: the connection is not to be listened to any more.
  bool OnFrame(const ConnectionPtr& connection, const LinkFrame& frame, LinkMessageReader* reader);
  bool OnChunk(const ConnectionPtr& connection, const LinkChunk& chunk, LinkMessageReader* reader);
  void OnSequenced(const ConnectionPtr& connection, const Since& since, const LinkFrame& frame);
  void OnTensorOpen(const ConnectionPtr& connection, const Since& since, const LinkOpen& open);
  void OnAbort(const Since& since, const LinkAbort& abort);
  void OnDone(const Since& since, const LinkDone& done);
  void OnChunkTaken(const IncomingPtr& transfer, uint64_t gained, bool first);
  // The connection is worth nothing any more; another one goes on from before this message.
  void Break(const ConnectionPtr& connection, const Status& why);

  Client* const client_;
  const LinkOptions options_;
  const Introduction mine_;
  Inbound* const inbound_;
  LinkHost* const host_;
  std::atomic<bool> dials_{false};

  mutable std::mutex mutex_;
  std::condition_variable said_;  // the log is empty, or the connection gone
  Phase phase_ = Phase::kIdle;
  Errand connecting_;
  Status refused_before_;  // who was sent away when nobody was waited for yet
  uint64_t session_ = 0;
  LinkTerms terms_;
  // Let in by nobody yet.
  std::deque<std::weak_ptr<Connection>> strangers_;
  // Of the link there is: numbers of transfers and calls begin anew with each.
  uint64_t life_ = 0;
  // Of the connections there are; whatever was planned for an earlier one is void.
  uint64_t epoch_ = 0;
  Clock::time_point down_since_;
  Status down_cause_;
  PeerCertificatePtr
      peers_certificate_;  // that the last connection came with; null: it was dialled
  std::optional<Clock::time_point> refused_since_;  // for the certificate, in this outage
  int dials_failed_ = 0;
  // Of connection 0: attempts so far, and when the latest began. It alone decides what comes next.
  uint64_t attempt_ = 0;
  Clock::time_point dialled_at_;
  Clock::duration handshake_{};  // how long the latest took
  uint64_t reconnects_ = 0;
  uint64_t checksum_failures_ = 0;
  int64_t round_trip_us_ = -1;
  Patience patience_;
  std::vector<ConnectionPtr> connections_;

  // Out.
  Outgoing outgoing_;
  std::deque<Sequenced> log_;
  uint64_t log_begin_ = 0;      // the number of its first frame
  uint64_t log_sent_ = 0;       // the number of the next to be sent
  size_t answers_untaken_ = 0;  // of those in the log
  uint64_t last_opened_ = 0;
  uint64_t last_call_ = 0;
  std::unordered_map<uint64_t, OperationPtr> calls_;

  // In.
  uint64_t taken_ = 0;
  uint64_t told_ = 0;       // of those, what the peer has been told of
  bool say_taken_ = false;  // it has to hear of the others
  uint64_t last_incoming_ = 0;
  std::unordered_map<uint64_t, IncomingPtr> incoming_;
  std::unordered_set<uint64_t> uncredited_;  // transfers that have moved since they were credited
  bool credits_due_ = false;
  uint64_t uncredited_bytes_ = 0;
  std::deque<LinkCredit> credits_;
  std::unordered_map<uint64_t, std::weak_ptr<LinkQuestion>> questions_;
  // A message of connection 0 is being worked on, and a Hello that waits for the end of that.
  bool busy_ = false;
  std::condition_variable idle_;
  Consequences when_idle_;
};

}  // namespace efl
