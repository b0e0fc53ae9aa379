// The tensors on their way out: which bytes go next, and how many may be on the way. Not
// thread-safe; the link's lock guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/operation.h"
#include "base/tensor.h"
#include "efl/link_service.pb.h"
#include "grpcpp/support/slice.h"

namespace efl {

class Outgoing {
 public:
  struct Terms {
    uint64_t window_bytes = 0;
    uint32_t chunk_bytes = 0;
  };
  void set_terms(const Terms& terms) { terms_ = terms; }

  // `open` without the number, which is returned. It waits for its turn.
  uint64_t Add(OperationPtr operation, LinkOpen open, Payload payload);

  // What is next.
  struct Next {
    const LinkOpen* open = nullptr;  // what a transfer begins with, before its first chunk
    LinkChunk chunk;                 // without the checksum
    std::shared_ptr<Payload> payload;
    grpc::Slice slice;  // the bytes of the chunk; empty for a short one, which is to be copied
  };
  // False when nothing may be sent now. `only_known`: of transfers that the peer knows.
  bool Take(uint64_t most_bytes, bool only_known, Next* next);

  void Credit(const LinkCredit& credit);
  struct Transfer {
    OperationPtr operation;
    LinkOpen open;
    std::shared_ptr<Payload> payload;
    grpc::Slice slice;  // over the payload
    uint64_t sent = 0;
    uint64_t credited = 0;
    uint64_t sent_before = 0;  // while it is rewound
    bool opened = false;
    bool known = false;  // the peer has said so
    bool held = false;
    bool ready = false;  // in ready_
  };
  // The transfer is over; none: it was already. What is removed lets go of its payload when it is
  // destroyed, which is for the caller to do without a lock.
  std::optional<Transfer> Remove(uint64_t transfer);

  // A new connection: the peer has these bytes of these transfers, and has taken the Open of all
  // that came before `first_untaken`. Of the others it has nothing.
  void Rewind(const LinkState& theirs, uint64_t first_untaken);

  // All of them, which are then forgotten.
  std::vector<Transfer> RemoveAll();
  size_t size() const { return transfers_.size(); }

  // Sent and not credited, of all.
  uint64_t on_the_way() const { return on_the_way_; }
  // That had been sent on a connection that broke, and have to be sent again.
  uint64_t retransmitted() const { return retransmitted_; }

 private:
  bool TakeFresh(uint64_t most_bytes, Next* next);
  bool TakeReady(uint64_t most_bytes, bool only_known, Next* next);
  static uint64_t Unsent(const Transfer& transfer);
  bool Fits(const Transfer& transfer, uint64_t most_bytes) const;
  void Cut(uint64_t id, Transfer* transfer, Next* next);
  void MakeReady(uint64_t id, Transfer* transfer);

  Terms terms_;
  uint64_t last_ = 0;
  uint64_t on_the_way_ = 0;
  uint64_t retransmitted_ = 0;
  std::unordered_map<uint64_t, Transfer> transfers_;
  // Not opened yet, in the order in which they came; it is that of their numbers.
  std::deque<uint64_t> fresh_;
  // Opened, and with something to send, in turn.
  std::deque<uint64_t> ready_;
  bool fresh_first_ = false;
};

}  // namespace efl
