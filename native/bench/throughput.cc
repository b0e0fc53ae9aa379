#include "throughput.h"

#include <algorithm>

#include "pattern.h"
#include "process.h"

namespace efl::bench {
namespace {

// Whole words: then the beginning of a larger tensor is a smaller one but for the marks.
constexpr size_t kWarmBytes = 65536;

class Driver {
 public:
  Driver(const Args& args, Link* link) : link_(link), apart_(ComparesApart(args)) {
    for (int i = 0; i < InFlightOf(args); ++i) {
      buffers_.emplace_back(args.bytes);
      Fill(buffers_.back().data(), 0, args.bytes, args.bytes, 0);
    }
  }

  double Run(const Round& round) {
    const int64_t start = NowNs();
    for (int i = 0; i < round.count; ++i) Send(round.bytes);
    while (under_way_ > 0) Await();
    const auto ns = static_cast<double>(NowNs() - start);
    if (apart_) {
      Send(round.bytes);
      Await();
    }
    link_->AwaitVerified();
    Progress();
    return static_cast<double>(round.bytes) * round.count / ns;
  }

 private:
  void Send(size_t bytes) {
    if (under_way_ == buffers_.size()) Await();
    uint8_t* data = buffers_[next_ % buffers_.size()].data();
    Mark(data, bytes, next_);
    link_->Send(next_, data, bytes);
    ++next_;
    ++under_way_;
  }

  void Await() {
    link_->AwaitArrival();
    --under_way_;
    Progress();
  }

  Link* const link_;
  const bool apart_;
  std::vector<Buffer> buffers_;
  uint64_t next_ = 0;
  size_t under_way_ = 0;
};

}  // namespace

std::vector<Round> RoundsOf(const Args& args) {
  std::vector<Round> rounds;
  if (args.test_case == "one") {
    rounds.push_back({std::min(args.bytes, kWarmBytes), 1});
    rounds.insert(rounds.end(), static_cast<size_t>(args.reps), {args.bytes, 1});
  } else {
    rounds.assign(static_cast<size_t>(args.reps) + 1, {args.bytes, args.count});
  }
  return rounds;
}

int InFlightOf(const Args& args) { return args.test_case == "one" ? 1 : args.in_flight; }

bool ComparesApart(const Args& args) { return args.system == "grpc-cpp" && !args.land_copy; }

void DriveThroughput(const Args& args, Link* link) {
  Driver driver(args, link);
  std::vector<double> gb_per_s;
  for (const Round& round : RoundsOf(args)) gb_per_s.push_back(driver.Run(round));
  gb_per_s.erase(gb_per_s.begin());
  PrintThroughput(gb_per_s);
}

}  // namespace efl::bench
