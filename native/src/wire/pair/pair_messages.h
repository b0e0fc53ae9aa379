// What PairClient and PairService share: method names, and the Hello message.
#pragma once

#include "absl/strings/str_cat.h"
#include "efl/pair_service.pb.h"
#include "wire/pair/pair.h"

namespace efl {

constexpr const char* kHello = "/efl.PairService/Hello";
constexpr const char* kReset = "/efl.PairService/Reset";
constexpr const char* kGoodbye = "/efl.PairService/Goodbye";

inline PairHello ToHello(const Introduction& introduction) {
  PairHello hello;
  hello.set_protocol_version(introduction.protocol_version);
  hello.set_role(introduction.leader ? PARTY_ROLE_LEADER : PARTY_ROLE_FOLLOWER);
  hello.set_party_id(introduction.party_id);
  hello.set_incarnation(introduction.incarnation);
  hello.set_job_id(introduction.job_id);
  hello.set_worker_index(introduction.worker_index);
  hello.set_worker_count(introduction.worker_count);
  hello.set_link_version(introduction.link_version);
  hello.set_dials(introduction.dials);
  return hello;
}

inline Introduction FromHello(const PairHello& hello) {
  return {hello.role() == PARTY_ROLE_LEADER,
          hello.party_id(),
          hello.incarnation(),
          hello.job_id(),
          hello.worker_index(),
          hello.worker_count(),
          hello.link_version(),
          hello.dials(),
          hello.protocol_version()};
}

// What no party of this project says.
inline Status CheckHello(const PairHello& hello) {
  if (hello.role() != PARTY_ROLE_LEADER && hello.role() != PARTY_ROLE_FOLLOWER) {
    return {Code::kInvalidArgument, "a party introduces itself as leader or follower"};
  }
  // They are kept, quoted and logged.
  constexpr size_t kLongestId = 1024;
  if (hello.party_id().size() > kLongestId || hello.job_id().size() > kLongestId) {
    return {Code::kInvalidArgument,
            absl::StrCat("party_id and job_id take at most ", kLongestId, " bytes")};
  }
  return {};
}

}  // namespace efl
