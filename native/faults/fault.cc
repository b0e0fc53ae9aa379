#include "faults/fault.h"

#include <cstdlib>

namespace efl::faults {

const char* FaultName(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::kFin:
      return "fin";
    case Fault::Kind::kReset:
      return "reset";
    case Fault::Kind::kStall:
      return "stall";
    case Fault::Kind::kSwallow:
      return "swallow";
    case Fault::Kind::kCorrupt:
      return "corrupt";
    case Fault::Kind::kRefuse:
      return "refuse";
    case Fault::Kind::kReorder:
      return "reorder";
    case Fault::Kind::kDelay:
      return "delay";
    case Fault::Kind::kThrottle:
      return "throttle";
  }
  return "";
}

FaultSchedule::FaultSchedule(uint64_t seed, const Mix& mix) : mix_(mix), random_(seed) {}

int64_t FaultSchedule::Between(int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
}

int64_t FaultSchedule::NextPauseMs() {
  return Between(mix_.shortest_pause_ms, mix_.longest_pause_ms);
}

Fault FaultSchedule::NextFault() {
  const int weights[] = {mix_.fin,    mix_.reset,   mix_.stall, mix_.swallow, mix_.corrupt,
                         mix_.refuse, mix_.reorder, mix_.delay, mix_.throttle};
  int all = 0;
  for (const int weight : weights) all += weight;
  Fault fault;
  int64_t left = Between(0, all - 1);
  int kind = 0;
  while (left >= weights[kind]) left -= weights[kind++];
  fault.kind = static_cast<Fault::Kind>(kind);
  fault.direction = static_cast<Fault::Direction>(Between(0, 2));
  fault.lasts_ms = Between(1, mix_.longest_ms);
  fault.random = random_();
  return fault;
}

uint64_t SeedFrom(const std::string& text) {
  if (!text.empty()) return std::strtoull(text.c_str(), nullptr, 10);
  return std::random_device()();
}

}  // namespace efl::faults
