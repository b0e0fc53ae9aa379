#include "communicator/pair_check.h"

#include "absl/strings/str_cat.h"
#include "communicator/options.h"

namespace efl {

Status CheckPair(const Introduction& mine, const Introduction& theirs) {
  const char* role = RoleName(mine.leader ? Role::kLeader : Role::kFollower);
  if (theirs.protocol_version != mine.protocol_version) {
    return {Code::kFailedPrecondition,
            absl::StrCat("the parties speak different versions of the pair protocol: ",
                         mine.protocol_version, " at the ", role, ", ", theirs.protocol_version,
                         " at the other")};
  }
  if (theirs.incarnation == 0) {
    return {Code::kInvalidArgument, "a party introduces itself with its incarnation"};
  }
  if (theirs.leader == mine.leader) {
    return {Code::kFailedPrecondition,
            absl::StrCat("both parties are configured as ", role, ": one has to be the ",
                         mine.leader ? "follower" : "leader")};
  }
  // In words that are right at both ends.
  const auto differ = [&mine](const char* what, const auto& here, const auto& there) -> Status {
    return {Code::kFailedPrecondition,
            absl::StrCat("the parties belong to different pairs: ", what, " is '",
                         mine.leader ? here : there, "' at the leader, '",
                         mine.leader ? there : here, "' at the follower")};
  };
  if (theirs.job_id != mine.job_id) return differ("job_id", mine.job_id, theirs.job_id);
  if (theirs.worker_count != mine.worker_count) {
    return differ("worker_count", mine.worker_count, theirs.worker_count);
  }
  if (theirs.worker_index != mine.worker_index) {
    return differ("worker_index", mine.worker_index, theirs.worker_index);
  }
  return {};
}

Status CheckWires(const Introduction& mine, const Introduction& theirs) {
  if (mine.dials && theirs.dials) return {};
  if (mine.link_version == theirs.link_version) return {};
  const uint32_t leaders = mine.leader ? mine.link_version : theirs.link_version;
  const uint32_t followers = mine.leader ? theirs.link_version : mine.link_version;
  return {Code::kFailedPrecondition,
          absl::StrCat("one party only listens, for which both have to speak the same version of "
                       "the link: it is ",
                       leaders, " at the leader, ", followers,
                       " at the follower (0: wire=trainer, EFL_WIRE)")};
}

}  // namespace efl
