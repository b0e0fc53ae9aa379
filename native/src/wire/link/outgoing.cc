#include "wire/link/outgoing.h"

#include <algorithm>
#include <utility>

#include "grpc/slice.h"

namespace efl {
namespace {

// Up to here a copy into the message costs less than a reference to it.
constexpr size_t kCopied = 8 << 10;

grpc::Slice SliceOver(const std::shared_ptr<Payload>& payload) {
  auto* held = new std::shared_ptr<Payload>(payload);
  return {const_cast<void*>(payload->data()), payload->size(),
          [](void* token) { delete static_cast<std::shared_ptr<Payload>*>(token); }, held};
}

grpc::Slice Part(const grpc::Slice& whole, uint64_t offset, uint64_t size) {
  grpc_slice raw = whole.c_slice();
  const grpc::Slice part(grpc_slice_sub(raw, offset, offset + size), grpc::Slice::STEAL_REF);
  grpc_slice_unref(raw);
  return part;
}

}  // namespace

uint64_t Outgoing::Add(OperationPtr operation, LinkOpen open, Payload payload) {
  const uint64_t id = ++last_;
  open.set_transfer(id);
  Transfer& transfer = transfers_[id];
  transfer.operation = std::move(operation);
  transfer.open = std::move(open);
  transfer.payload = std::make_shared<Payload>(std::move(payload));
  if (transfer.payload->size() > kCopied) transfer.slice = SliceOver(transfer.payload);
  fresh_.push_back(id);
  return id;
}

bool Outgoing::Take(uint64_t most_bytes, bool only_known, Next* next) {
  if (only_known) return TakeReady(most_bytes, true, next);
  // New ones and those under way take turns, so that a short tensor doesn't wait for a long one.
  fresh_first_ = !fresh_first_;
  if (fresh_first_) return TakeFresh(most_bytes, next) || TakeReady(most_bytes, false, next);
  return TakeReady(most_bytes, false, next) || TakeFresh(most_bytes, next);
}

bool Outgoing::TakeFresh(uint64_t most_bytes, Next* next) {
  while (!fresh_.empty()) {
    const uint64_t id = fresh_.front();
    const auto at = transfers_.find(id);
    if (at == transfers_.end()) {
      fresh_.pop_front();
      continue;
    }
    Transfer& transfer = at->second;
    if (!Fits(transfer, most_bytes)) return false;
    fresh_.pop_front();
    transfer.opened = true;
    next->open = &transfer.open;
    Cut(id, &transfer, next);
    return true;
  }
  return false;
}

bool Outgoing::TakeReady(uint64_t most_bytes, bool only_known, Next* next) {
  for (size_t unseen = ready_.size(); unseen > 0; --unseen) {
    const uint64_t id = ready_.front();
    ready_.pop_front();
    const auto at = transfers_.find(id);
    if (at == transfers_.end()) continue;
    Transfer& transfer = at->second;
    if (transfer.held || Unsent(transfer) == 0) {
      transfer.ready = false;
      continue;
    }
    if ((only_known && !transfer.known) || !Fits(transfer, most_bytes)) {
      ready_.push_back(id);
      continue;
    }
    transfer.ready = false;
    next->open = nullptr;
    Cut(id, &transfer, next);
    return true;
  }
  return false;
}

uint64_t Outgoing::Unsent(const Transfer& transfer) {
  return transfer.open.encoded_size() - transfer.sent;
}

bool Outgoing::Fits(const Transfer& transfer, uint64_t most_bytes) const {
  const uint64_t chunk = std::min<uint64_t>(terms_.chunk_bytes, Unsent(transfer));
  return chunk <= most_bytes && (on_the_way_ == 0 || on_the_way_ + chunk <= terms_.window_bytes);
}

void Outgoing::Cut(uint64_t id, Transfer* transfer, Next* next) {
  const uint64_t chunk = std::min<uint64_t>(terms_.chunk_bytes, Unsent(*transfer));
  next->chunk.set_transfer(id);
  next->chunk.set_offset(transfer->sent);
  next->chunk.set_size(static_cast<uint32_t>(chunk));
  next->payload = transfer->payload;
  next->slice = grpc::Slice();
  if (chunk > kCopied) next->slice = Part(transfer->slice, transfer->sent, chunk);
  transfer->sent += chunk;
  on_the_way_ += chunk;
  MakeReady(id, transfer);
}

void Outgoing::MakeReady(uint64_t id, Transfer* transfer) {
  if (transfer->ready || transfer->held || !transfer->opened || Unsent(*transfer) == 0) return;
  transfer->ready = true;
  ready_.push_back(id);
}

void Outgoing::Credit(const LinkCredit& credit) {
  const auto at = transfers_.find(credit.transfer());
  if (at == transfers_.end()) return;
  Transfer& transfer = at->second;
  transfer.known = true;
  const uint64_t received = credit.received();
  if (received < transfer.credited || received > transfer.open.encoded_size()) return;
  on_the_way_ -= transfer.sent - transfer.credited;
  if (credit.held() || transfer.held) {
    transfer.sent = received;  // what was dropped has to be sent again
  } else {
    // More than was sent on this connection: what an earlier one had brought.
    transfer.sent = std::max(transfer.sent, received);
  }
  transfer.credited = received;
  transfer.held = credit.held();
  on_the_way_ += transfer.sent - transfer.credited;
  MakeReady(credit.transfer(), &transfer);
}

std::optional<Outgoing::Transfer> Outgoing::Remove(uint64_t id) {
  const auto at = transfers_.find(id);
  if (at == transfers_.end()) return std::nullopt;
  on_the_way_ -= at->second.sent - at->second.credited;
  std::optional<Transfer> removed = std::move(at->second);
  transfers_.erase(at);
  return removed;
}

void Outgoing::Rewind(const LinkState& theirs, uint64_t first_untaken) {
  for (auto& [id, transfer] : transfers_) {
    if (!transfer.opened) continue;
    transfer.sent_before = transfer.sent;
    // What the peer knows and doesn't name is over there: its verdict is on the way.
    transfer.known = id < first_untaken;
    transfer.sent = transfer.known ? transfer.open.encoded_size() : 0;
    transfer.credited = transfer.sent;
    transfer.held = false;
  }
  for (const LinkCredit& credit : theirs.transfers()) {
    const auto at = transfers_.find(credit.transfer());
    if (at == transfers_.end() || credit.received() > at->second.open.encoded_size()) continue;
    at->second.sent = at->second.credited = credit.received();
    at->second.held = credit.held();
  }
  on_the_way_ = 0;
  ready_.clear();
  std::vector<uint64_t> in_order;
  for (auto& [id, transfer] : transfers_) {
    transfer.ready = false;
    if (transfer.sent < transfer.sent_before)
      retransmitted_ += transfer.sent_before - transfer.sent;
    transfer.sent_before = 0;
    in_order.push_back(id);
  }
  std::sort(in_order.begin(), in_order.end());
  for (uint64_t id : in_order) MakeReady(id, &transfers_[id]);
}

std::vector<Outgoing::Transfer> Outgoing::RemoveAll() {
  std::vector<Transfer> all;
  for (auto& [id, transfer] : transfers_) all.push_back(std::move(transfer));
  transfers_.clear();
  fresh_.clear();
  ready_.clear();
  on_the_way_ = 0;
  last_ = 0;
  return all;
}

}  // namespace efl
