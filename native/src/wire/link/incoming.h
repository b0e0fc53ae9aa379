// A tensor on its way in: parked, held back, or landing.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "efl/link_service.pb.h"
#include "wire/inbound.h"
#include "wire/link/link_message.h"

namespace efl {

class IncomingTransfer;

// Where a transfer says how it stands. Called without a lock of the transfer held.
class IncomingEvents {
 public:
  virtual ~IncomingEvents() = default;
  // All of it is here, in place or parked, and right as far as that can be told.
  virtual void OnArrived(IncomingTransfer* transfer) = 0;
  // The receiver has its verdict. Told once.
  virtual void OnAnswered(IncomingTransfer* transfer, const Status& status) = 0;
  // A transfer that was held back has a place to land now.
  virtual void OnWanted(IncomingTransfer* transfer) = 0;
};

class IncomingTransfer final : public Delivery {
 public:
  // What became of a chunk.
  enum class Taken {
    kNew,
    kNotNeeded,  // had before, or the transfer is over
    kHeldBack,   // dropped for want of room, the first one of a transfer
    kDamaged,
    kImpossible,  // outside of the tensor, or off the grid
  };

  // `open` has been checked.
  IncomingTransfer(std::weak_ptr<IncomingEvents> events, const LinkOpen& open,
                   uint32_t chunk_bytes);

  static Status Check(const LinkOpen& open);

  uint64_t id() const { return id_; }
  bool await_consumption() const { return await_consumption_; }
  // Nothing is missing before this.
  uint64_t received() const;
  bool held() const;
  // Both, as they are said to the sender, who then has to be told when it isn't held any more.
  LinkCredit Standing();
  // `gained`: what received() grows by, with what lay ahead of a hole that this closes.
  Taken Take(uint64_t offset, uint32_t crc, const Span& bytes, uint64_t* gained);
  // A tensor without content is here when it is opened.
  void TakeNothing();
  // The sender gives up, or is gone. True: it was parked.
  bool GiveUp(const Status& why);

  const TensorInfo& info() const override { return info_; }
  size_t cost() const override;
  const Status& defect() const override { return defect_; }
  bool can_hold() const override { return true; }
  void Hold() override;
  void Land(void* to, std::function<void(const Status&)> landed) override;
  void Stop(const Status& why) override;
  void Answer(const Status& status) override;
  void OnGivenUp(std::function<bool()> given_up) override;

 private:
  enum class Stage { kParking, kHeld, kLanding, kOver };
  // Bytes beyond received_ that are here, or being written.
  struct Piece {
    uint64_t size;
    bool here;
  };

  bool Claim(uint64_t offset, uint64_t size);
  // What a writer does when it is done; may end the transfer.
  // Returns what received_ has grown by.
  uint64_t Commit(uint64_t offset, bool ok, std::unique_lock<std::mutex>* lock);
  bool Complete() const;
  void Settle(std::unique_lock<std::mutex>* lock);
  void CopyParked(std::unique_lock<std::mutex>* lock);
  // Decodes and checks what has landed.
  Status FinishContent();
  void TellArrived();

  const std::weak_ptr<IncomingEvents> events_;
  const uint64_t id_;
  const TensorInfo info_;
  const LinkEncoding encoding_;
  const uint64_t encoded_size_;
  const bool await_consumption_;
  const uint32_t chunk_bytes_;
  const Status defect_;

  mutable std::mutex mutex_;
  std::condition_variable no_writers_;
  Stage stage_ = Stage::kParking;
  uint64_t received_ = 0;
  std::map<uint64_t, Piece> pieces_;  // by offset
  int writers_ = 0;
  bool arrived_ = false;    // has been told
  bool answered_ = false;   // likewise
  bool held_told_ = false;  // likewise
  Status given_up_why_;
  std::map<uint64_t, Span> parked_;
  char* to_ = nullptr;         // the receive's memory
  char* writes_to_ = nullptr;  // the same, or encoded_
  std::unique_ptr<char[]> encoded_;
  std::function<void(const Status&)> landed_;
  std::function<bool()> given_up_;
};

}  // namespace efl
