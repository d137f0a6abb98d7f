#include "pyhost/gateway/exchange.h"

#include <gtest/gtest.h>

namespace pyhost::gateway {
namespace {

TEST(BodyFault, AnswersTheClientsFaultsWithTheClientsStatus) {
  EXPECT_EQ(status_of(BodyFault::client_gone), 400);
  EXPECT_EQ(status_of(BodyFault::malformed), 400);
  EXPECT_EQ(status_of(BodyFault::too_slow), 408);
  EXPECT_EQ(status_of(BodyFault::too_large), 413);
  EXPECT_EQ(status_of(BodyFault::failed), 500);
}

TEST(BodyFault, IsDescribedDifferentlyForEachCause) {
  EXPECT_NE(describe(BodyFault::client_gone), describe(BodyFault::too_slow));
  EXPECT_NE(describe(BodyFault::malformed), describe(BodyFault::too_large));
  EXPECT_NE(describe(BodyFault::failed).find("filter"), std::string_view::npos);
}

}  // namespace
}  // namespace pyhost::gateway
