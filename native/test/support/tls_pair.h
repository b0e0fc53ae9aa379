// A pair over mutual TLS, not opened yet, and who signed its certificates.
#pragma once

#include <gtest/gtest.h>

#include "support/certificates.h"
#include "support/pair.h"

namespace efl::test {

class TlsPairTest : public testing::Test {
 protected:
  TlsPairTest() {
    for (Party* party : {&pair.leader, &pair.follower}) {
      certificates.Make(party->options.party_id);
      party->options.tls = certificates.Tls(party->options.party_id);
    }
  }

  Certificates certificates;
  Pair pair;
};

}  // namespace efl::test
