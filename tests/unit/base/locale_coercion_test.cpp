#include "base/locale_coercion.h"

#include <gtest/gtest.h>

namespace pyhost::base {
namespace {

TEST(CoercedCtype, IsThatOfPythonWhereNoLocaleIsNamed) {
  EXPECT_STREQ(coerced_ctype("", "", ""), "C.UTF-8");
  EXPECT_STREQ(coerced_ctype("", "", "C"), "C.UTF-8");
  EXPECT_STREQ(coerced_ctype("", "POSIX", "C.UTF-8"), "C.UTF-8");
  EXPECT_STREQ(coerced_ctype("", "", "xx_YY"), "C.UTF-8");
}

TEST(CoercedCtype, IsNoneWhereALocaleIsNamed) {
  EXPECT_EQ(coerced_ctype("C", "", ""), nullptr);
  EXPECT_EQ(coerced_ctype("", "C.UTF-8", "C"), nullptr);
  EXPECT_EQ(coerced_ctype("", "", "C.UTF-8"), nullptr);
}

TEST(InstalledLocale, IsTold) {
  EXPECT_TRUE(is_installed_locale("C"));
  EXPECT_FALSE(is_installed_locale("xx_YY.UTF-8"));
}

}  // namespace
}  // namespace pyhost::base
