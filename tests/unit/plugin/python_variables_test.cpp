#include "plugin/python_variables.h"

#include <gtest/gtest.h>

namespace pyhost::gateway {
namespace {

std::string of_group(std::string_view name) {
  return plugin::notice_of_python_variable(name, plugin::VariableOf::process_group);
}

std::string of_httpd(std::string_view name) {
  return plugin::notice_of_python_variable(name, plugin::VariableOf::httpd);
}

constexpr char kNoEffect[] = " has no effect on applications, only on programs that they start";

TEST(PythonVariable, HasASubstituteInTheConfiguration) {
  EXPECT_EQ(of_group("PYTHONPATH"),
            std::string("PYTHONPATH") + kNoEffect + "; use python-path= instead");
  EXPECT_EQ(of_httpd("PYTHONPATH"),
            std::string("PYTHONPATH") + kNoEffect + "; use WSGIPythonPath instead");
  EXPECT_EQ(of_group("PYTHONHASHSEED"),
            std::string("PYTHONHASHSEED") + kNoEffect + "; use WSGIPythonHashSeed instead");
}

TEST(PythonVariable, WithoutASubstituteIsToldToWhoeverHasConfiguredIt) {
  EXPECT_EQ(of_group("PYTHONDEVMODE"), std::string("PYTHONDEVMODE") + kNoEffect);
  EXPECT_EQ(of_httpd("PYTHONDEVMODE"), "");
}

TEST(PythonVariable, OfWhichNothingIsToBeToldIsPassedOver) {
  for (const char* name : {"PATH", "PYTHON_EGG_CACHE", "PYTHONUTF8", "PYTHONUNBUFFERED", ""}) {
    EXPECT_EQ(of_group(name), "") << name;
    EXPECT_EQ(of_httpd(name), "") << name;
  }
}

}  // namespace
}  // namespace pyhost::gateway
