#include "plugin/python_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/temp_dir.h"

namespace pyhost::plugin {
namespace {

using testing::EndsWith;

const std::vector<PluginFile> kPlugins{{.path = "/11.so", .python_version = "3.11"},
                                       {.path = "/14.so", .python_version = "3.14"},
                                       {.path = "/9.so", .python_version = "3.9"}};

std::string chosen(const PythonWish& wish, const std::vector<PluginFile>& plugins = kPlugins) {
  const auto choice = choose_python(plugins, wish);
  return choice ? choice->plugin.path + " " + choice->home.program + choice->home.home
                : choice.error().sentence;
}

TEST(PythonChoice, IsTheFirstPluginWhereNothingIsWished) {
  EXPECT_EQ(chosen({}), "/11.so ");
}

TEST(PythonChoice, IsThePluginOfTheVersionThatIsWished) {
  EXPECT_EQ(chosen({.home = "", .version = "3.14"}), "/14.so ");
}

TEST(PythonChoice, IsThePluginThatTheHomeNeeds) {
  const test::TempDir folder;
  folder.write("venv/pyvenv.cfg", "version = 3.9.1\n");
  folder.write("opt/lib/python3.14/os.py", "");
  EXPECT_EQ(chosen({.home = folder.path() + "/venv", .version = ""}),
            "/9.so " + folder.path() + "/venv/bin/python");
  EXPECT_EQ(chosen({.home = folder.path() + "/opt", .version = ""}),
            "/14.so " + folder.path() + "/opt");
}

TEST(PythonChoice, SaysHowToGetAPluginThatIsMissing) {
  EXPECT_EQ(chosen({.home = "", .version = "3.15"}),
            "3.15: plugins are there for Python 3.11, 3.14, 3.9; `pyhost build-plugin "
            "/path/to/python3.15` builds one");
  EXPECT_EQ(chosen({.home = "", .version = "3.15"}, {}),
            "3.15: there is no plugin; `pyhost build-plugin /path/to/python3.15` builds one");
  const test::TempDir folder;
  folder.write("venv/pyvenv.cfg", "version = 3.12.1\n");
  folder.write("opt/lib/python3.13/os.py", "");
  EXPECT_EQ(
      chosen({.home = folder.path() + "/venv", .version = ""}),
      folder.path() +
          "/venv is a virtualenv of Python 3.12, but plugins are there for Python 3.11, 3.14, "
          "3.9: build one with `pyhost build-plugin " +
          folder.path() + "/venv/bin/python`, or make it anew with python3.11 -m venv");
  EXPECT_EQ(chosen({.home = folder.path() + "/opt", .version = ""}),
            folder.path() +
                "/opt is an installation of Python 3.13, but plugins are there for Python 3.11, "
                "3.14, 3.9: build one with `pyhost build-plugin " +
                folder.path() + "/opt/bin/python3.13`");
}

TEST(PythonChoice, SaysHowToReplaceAPluginOfAnotherBuild) {
  const std::string foreign = folder_of_this_object() + "/foreign_plugin.so";
  const std::vector<PluginFile> plugins{{.path = foreign, .python_version = "3.13"}};
  const std::string begin = foreign +
                            " is of another build than mod_pyhost: install both of one version, or "
                            "build it anew with `pyhost build-plugin ";
  EXPECT_EQ(chosen({.home = "", .version = "3.13"}, plugins), begin + "/path/to/python3.13`");
  const test::TempDir folder;
  folder.write("venv/pyvenv.cfg", "version = 3.13.1\n");
  EXPECT_EQ(chosen({.home = folder.path() + "/venv", .version = ""}, plugins),
            begin + folder.path() + "/venv/bin/python`");
}

TEST(PythonChoice, IsAPluginOfThisBuild) {
  EXPECT_EQ(chosen({.home = "", .version = TEST_PYTHON_VERSION},
                   {{.path = TEST_PLUGIN, .python_version = TEST_PYTHON_VERSION}}),
            TEST_PLUGIN " ");
}

TEST(PythonChoice, SaysWhatIsWrongWithAHomeThatNoPluginCouldHelp) {
  EXPECT_EQ(chosen({.home = "/none", .version = ""}),
            "/none cannot be used: No such file or directory");
  const test::TempDir folder;
  folder.write("venv/pyvenv.cfg", "version = 3.9.1\n");
  EXPECT_THAT(chosen({.home = folder.path() + "/venv", .version = "3.14"}),
              EndsWith("/venv is a virtualenv of Python 3.9.1, but Python 3.14 is needed: make it "
                       "anew with python3.14 -m venv"));
}

}  // namespace
}  // namespace pyhost::plugin
