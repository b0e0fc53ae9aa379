// What is fed with arbitrary bytes. Each aborts, or is stopped by a sanitizer, when something is
// wrong; run by libFuzzer (scripts/fuzz) and, over the corpus, by the tests.
#pragma once

#include <cstddef>
#include <cstdint>

namespace efl::fuzz {

// Bytes from the network as a message of the link, and, framed rightly, as its frames and chunks.
void LinkMessage(const uint8_t* data, size_t size);
// A link in the middle of its life: handshakes, frames, ends of connections, sends and receives in
// any order.
void Link(const uint8_t* data, size_t size);
// Closes what the inputs of Link share; none may follow.
void CloseLinks();
// A tensor of the trainer wire.
void TensorCodec(const uint8_t* data, size_t size);
// Encoded content, and the rules that say which is.
void Encoding(const uint8_t* data, size_t size);
// The file that says what may leave.
void EgressPolicy(const uint8_t* data, size_t size);
// The end of an audit ledger that goes on.
void LedgerTail(const uint8_t* data, size_t size);

}  // namespace efl::fuzz
