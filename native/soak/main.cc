// efl_soak: two parties as processes, under faults and kills, for as long as wanted.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "driver.h"
#include "faults/fault.h"
#include "party.h"

namespace efl::soak {
namespace {

constexpr const char* kUsage =
    R"(usage: efl_soak drive [--seconds N] [--seed S] [--tls DIR] [--clock LIBRARY] [--json FILE]
       efl_soak party KEY=VALUE...

drive starts two parties as processes of their own and lets them exchange tensors through proxies
that break their connections in all ways, kills either with SIGKILL now and then, and keeps a ledger
of what became of each tensor. With --tls, a like part of the time over mutual TLS, with the
certificates in DIR, which scripts/certs has made and renews meanwhile; with --clock, a like part in
plaintext with LIBRARY loaded, which makes the wall clock jump. Exits with 1 when a tensor was lost,
came twice or damaged, or anything hung. party is one of the two; KEY is an option of efl.h.
)";

[[noreturn]] void WrongUsage() {
  std::fputs(kUsage, stderr);
  std::exit(2);
}

std::string Json(const Figures& figures, uint64_t seed, int64_t seconds) {
  char text[512];
  std::snprintf(text, sizeof(text),
                "{\"transfers\": %llu, \"failed_with_a_kill\": %llu, \"cuts\": %llu, \"kills\": "
                "%llu, \"lost\": %llu, \"duplicated\": %llu, \"corrupted\": %llu, \"hangs\": %llu, "
                "\"max_rss_growth_mib\": %.1f, \"seed\": %llu, \"seconds\": %lld}",
                static_cast<unsigned long long>(figures.transfers),
                static_cast<unsigned long long>(figures.failed),
                static_cast<unsigned long long>(figures.cuts),
                static_cast<unsigned long long>(figures.kills),
                static_cast<unsigned long long>(figures.lost),
                static_cast<unsigned long long>(figures.duplicated),
                static_cast<unsigned long long>(figures.corrupted),
                static_cast<unsigned long long>(figures.hangs), figures.max_rss_growth_mib,
                static_cast<unsigned long long>(seed), static_cast<long long>(seconds));
  return text;
}

int MainOfDrive(const std::vector<std::string>& arguments) {
  Plan plan;
  plan.program = std::filesystem::read_symlink("/proc/self/exe");
  std::string seed, tls, clock, json;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) WrongUsage();
    const std::string& value = arguments[i + 1];
    if (arguments[i] == "--seconds") {
      plan.seconds = std::atoll(value.c_str());
    } else if (arguments[i] == "--seed") {
      seed = value;
    } else if (arguments[i] == "--tls") {
      tls = value;
    } else if (arguments[i] == "--clock") {
      clock = value;
    } else if (arguments[i] == "--json") {
      json = value;
    } else {
      WrongUsage();
    }
  }
  if (plan.seconds < 1) WrongUsage();
  const int64_t seconds = plan.seconds;
  plan.seed = faults::SeedFrom(seed);
  std::fprintf(stderr, "efl_soak: seed %llu\n", static_cast<unsigned long long>(plan.seed));
  std::vector<Plan> parts(1, plan);
  if (!tls.empty()) parts.emplace_back(plan).tls = tls;
  if (!clock.empty()) parts.emplace_back(plan).preload = clock;
  const auto count = static_cast<int64_t>(parts.size());
  Figures figures;
  bool shown = true;
  for (Plan& part : parts) {
    part.seconds = (seconds + count - 1) / count;
    const Figures its = Drive(part);
    if (its.transfers == 0 || its.cuts == 0 || its.kills == 0 || !its.rss_compared) {
      std::fputs(
          "efl_soak: a part in which nothing came, was cut, killed or compared shows nothing\n",
          stderr);
      shown = false;
    }
    figures.Add(its);
    for (Plan& later : parts) later.seed += 2;
  }
  const std::string text = Json(figures, plan.seed, seconds);
  std::puts(text.c_str());
  if (!json.empty()) std::ofstream(json) << text << "\n";
  const bool well = figures.lost + figures.duplicated + figures.corrupted + figures.hangs == 0;
  return well && shown ? 0 : 1;
}

int Main(const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (arguments.empty()) WrongUsage();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "drive") return MainOfDrive(rest);
  if (arguments[0] != "party") WrongUsage();
  std::vector<std::pair<std::string, std::string>> options;
  for (const std::string& one : rest) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos) WrongUsage();
    options.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  return RunParty(options);
}

}  // namespace
}  // namespace efl::soak

int main(int argc, char** argv) {
  return efl::soak::Main(std::vector<std::string>(argv + 1, argv + argc));
}
