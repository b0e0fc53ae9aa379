#include "roundtrip.h"

#include <vector>

#include "pattern.h"
#include "process.h"

namespace efl::bench {

void DriveRoundTrips(const Args& args, Echo* echo) {
  Buffer buffer(args.bytes);
  Fill(buffer.data(), 0, args.bytes, args.bytes, 0);
  std::vector<int64_t> ns;
  for (int i = 0; i < args.warm + args.count; ++i) {
    const auto id = static_cast<uint64_t>(i);
    Mark(buffer.data(), args.bytes, id);
    const int64_t start = NowNs();
    echo->Exchange(buffer.data(), args.bytes);
    const int64_t end = NowNs();
    if (!echo->Fits(args.bytes, id)) Die("the echo is not what was sent");
    if (i >= args.warm) ns.push_back(end - start);
    Progress();
  }
  PrintRoundTrips(std::move(ns));
}

}  // namespace efl::bench
