#include "efl_cpp.h"

#include <map>
#include <string>

namespace efl::bench {
namespace {

using Case = void (*)(const Args&, Party*);

struct Sides {
  Case serve;
  Case drive;
};

Sides SidesOf(const Args& args) {
  static const auto& cases = *new std::map<std::string, Sides>{
      {"throughput", {&ServeEflThroughput, &DriveEflThroughput}},
      {"one", {&ServeEflThroughput, &DriveEflThroughput}},
      {"roundtrip", {&ServeEflRoundTrips, &DriveEflRoundTrips}},
      {"names", {&ServeEflNames, &DriveEflNames}},
      {"memory", {&ServeEflMemory, &DriveEflMemory}},
  };
  return cases.at(args.test_case);
}

}  // namespace

void ServeEfl(const Args& args) {
  Party party(args);
  SidesOf(args).serve(args, &party);
  WaitForEnd();
}

void DriveEfl(const Args& args) {
  Party party(args);
  SidesOf(args).drive(args, &party);
}

}  // namespace efl::bench
