// System efl-cpp: the kernel through efl.h.
#pragma once

#include "args.h"
#include "efl_party.h"

namespace efl::bench {

void ServeEfl(const Args& args);
void DriveEfl(const Args& args);

// Each case at each side. Serve registers its names, then connects; what it expects is posted
// before the driver can send it.
void ServeEflThroughput(const Args& args, Party* party);
void DriveEflThroughput(const Args& args, Party* party);
void ServeEflRoundTrips(const Args& args, Party* party);
void DriveEflRoundTrips(const Args& args, Party* party);
void ServeEflNames(const Args& args, Party* party);
void DriveEflNames(const Args& args, Party* party);
void ServeEflMemory(const Args& args, Party* party);
void DriveEflMemory(const Args& args, Party* party);

}  // namespace efl::bench
