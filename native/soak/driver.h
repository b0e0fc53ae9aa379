// Drives two parties through fault proxies, kills them now and then, and keeps the ledger of what
// was sent and what became of it.
#pragma once

#include <cstdint>
#include <string>

namespace efl::soak {

struct Plan {
  std::string program;  // this one
  int64_t seconds = 60;
  uint64_t seed = 1;
  std::string tls;      // a folder of scripts/certs; empty: plaintext
  std::string preload;  // a library to be loaded in front of the others; empty: none
};

struct Figures {
  uint64_t transfers = 0;  // arrived, as both parties say
  uint64_t failed = 0;     // with a typed error or with its party, which was killed
  uint64_t cuts = 0;
  uint64_t kills = 0;
  uint64_t lost = 0;  // failed without a kill, or with a status that a kill doesn't explain
  uint64_t duplicated = 0;
  uint64_t corrupted = 0;
  uint64_t hangs = 0;
  double max_rss_growth_mib = 0;
  bool rss_compared = false;  // otherwise that says nothing

  void Add(const Figures& other);
};

// What goes wrong is said on standard error.
Figures Drive(const Plan& plan);

}  // namespace efl::soak
