// What PairClient and PairService share: method names, and the Hello message.
#pragma once

#include "efl/pair_service.pb.h"
#include "wire/pair/pair.h"

namespace efl {

constexpr const char* kHello = "/efl.PairService/Hello";
constexpr const char* kReset = "/efl.PairService/Reset";
constexpr const char* kGoodbye = "/efl.PairService/Goodbye";

constexpr uint32_t kPairProtocolVersion = 1;

inline PairHello ToHello(const Introduction& introduction) {
  PairHello hello;
  hello.set_protocol_version(kPairProtocolVersion);
  hello.set_role(introduction.leader ? PARTY_ROLE_LEADER : PARTY_ROLE_FOLLOWER);
  hello.set_party_id(introduction.party_id);
  hello.set_incarnation(introduction.incarnation);
  return hello;
}

inline Introduction FromHello(const PairHello& hello) {
  return {hello.role() == PARTY_ROLE_LEADER, hello.party_id(), hello.incarnation()};
}

}  // namespace efl
