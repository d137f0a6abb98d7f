// `pyhost build-plugin`: what it says when something is missing. That what it builds is of use is
// tried where there are several Pythons, by tests/distributions/run.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "harness/command.h"
#include "harness/temp_dir.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

CommandResult build_plugin(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {PYHOST_TEST_PROGRAM, "build-plugin"});
  return run_command(arguments);
}

std::string refusal(std::vector<std::string> arguments) {
  const CommandResult result = build_plugin(std::move(arguments));
  EXPECT_FALSE(result.ok());
  return result.output;
}

// A program that says of itself what a Python would.
std::string python_that_says(const TempDir& folder, const std::string& json) {
  const std::string program = folder.write("python", "#!/bin/sh\necho '" + json + "'\n");
  chmod(program.c_str(), 0755);
  return program;
}

TEST(BuildPlugin, SaysWhatIsNoPython) {
  EXPECT_THAT(refusal({}), HasSubstr("PYTHON is needed"));
  EXPECT_THAT(refusal({"/nowhere/python"}),
              HasSubstr("pyhost: /nowhere/python cannot be run: No such file or directory"));
  EXPECT_THAT(refusal({"/bin/true"}), HasSubstr("pyhost: /bin/true is no Python that answers"));
}

TEST(BuildPlugin, SaysWhichPartOfThePythonIsMissing) {
  const TempDir folder;
  const std::string header = folder.write("Python.h", "");
  const std::string head = R"({"implementation": "cpython", "version": "3.77", "header": ")";
  EXPECT_THAT(
      refusal({python_that_says(folder, head + R"(/nowhere/Python.h", "library": "/x.so"})")}),
      AllOf(HasSubstr("the headers of Python 3.77 are missing (/nowhere/Python.h)"),
            HasSubstr("apt install python3.77-dev")));
  EXPECT_THAT(
      refusal({python_that_says(folder, head + header + R"(", "library": "/x/libpython.a"})")}),
      AllOf(HasSubstr("has no shared library"), HasSubstr("--enable-shared")));
  EXPECT_THAT(refusal({python_that_says(folder, R"({"implementation": "pypy", "version": "3.11",)"
                                                R"( "header": "", "library": ""})")}),
              HasSubstr("is no CPython"));
}

TEST(BuildPlugin, FindsTheSourceWhereverItIsCalledFrom) {
  const std::filesystem::path program(PYHOST_TEST_PROGRAM);
  const std::string call = "cd / && PATH=" + program.parent_path().string() + ":$PATH pyhost ";
  const CommandResult result = run_command(
      {"/bin/sh", "-c", call + "build-plugin " PYHOST_TEST_PYTHON " --output /nowhere"});
  EXPECT_THAT(result.output, HasSubstr("--output /nowhere cannot be written to"));
}

TEST(BuildPlugin, SaysWhichFolderIsOfNoUse) {
  const TempDir folder;
  EXPECT_THAT(refusal({PYHOST_TEST_PYTHON, "--source", folder.path()}),
              HasSubstr("--source " + folder.path() + " is not the source of mod_pyhost"));
  EXPECT_THAT(refusal({PYHOST_TEST_PYTHON, "--output", "/nowhere"}),
              HasSubstr("--output /nowhere cannot be written to: No such file or directory"));
}

}  // namespace
}  // namespace pyhost::test
