// One of the two parties: a process that does what its standard input says, through efl.h, and
// reports each end on standard output.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace efl::soak {

// Set in the environment: a party whose wall clock doesn't jump ends at once.
constexpr const char* kClockJumps = "EFL_SOAK_CLOCK_JUMPS";

// Lines it takes                       and answers
//   CONNECT                              CONNECTED CODE TEXT
//   SEND NUMBER FLOATS                   SENT NUMBER CODE TEXT
//   RECV NUMBER FLOATS                   RECEIVED NUMBER CODE FOUND TEXT
//   WATCH                                WATCHED CODE TEXT: the link has ended
//   QUIT                                 ends the process
// It says PORT NUMBER first, and RENEWED when it has taken other certificates.
int RunParty(const std::vector<std::pair<std::string, std::string>>& options);

}  // namespace efl::soak
