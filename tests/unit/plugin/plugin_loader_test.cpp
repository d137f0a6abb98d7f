#include "plugin/plugin_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

#include "harness/temp_dir.h"

namespace pyhost::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal_of(const std::string& path) {
  const auto plugin = plugin::load_plugin(path);
  return plugin ? "loaded" : plugin.error().sentence;
}

TEST(PluginLoader, KnowsTheFolderOfThisProgram) {
  EXPECT_EQ(plugin::folder_of_this_object(),
            std::filesystem::canonical("/proc/self/exe").parent_path().string());
}

TEST(PluginLoader, ListsThePluginOfTheSystemFirstAndThenTheNewest) {
  const test::TempDir folder;
  for (const char* name : {"pyhost-cpython-3.9.so", "pyhost-cpython-3.13.so",
                           "pyhost-cpython-3.11.so", "pyhost-cpython-3.12.txt", "other-3.14.so"}) {
    folder.write(name, "");
  }
  const auto versions = [&](std::string_view first) {
    std::vector<std::string> all;
    for (const auto& file : plugin::find_plugins(folder.path(), first)) {
      all.push_back(file.python_version);
    }
    return all;
  };
  EXPECT_THAT(versions("3.11"), ElementsAre("3.11", "3.13", "3.9"));
  EXPECT_THAT(versions("3.12"), ElementsAre("3.13", "3.11", "3.9"));
  const auto plugins = plugin::find_plugins(folder.path(), "");
  EXPECT_EQ(plugins[0].path, folder.path() + "/pyhost-cpython-3.13.so");
}

TEST(PluginLoader, FindsNothingInAFolderThatIsNotThere) {
  EXPECT_TRUE(plugin::find_plugins("/nonexistent").empty());
}

TEST(PluginLoader, SaysWhichFileCannotBeLoaded) {
  EXPECT_THAT(refusal_of("/nonexistent/pyhost-cpython-3.11.so"),
              HasSubstr("/nonexistent/pyhost-cpython-3.11.so cannot be loaded: "));
}

TEST(PluginLoader, RefusesAnObjectWithoutTheEntryPoint) {
  EXPECT_THAT(refusal_of(plugin::folder_of_this_object() + "/nameless_plugin.so"),
              HasSubstr("nameless_plugin.so is not an engine plugin"));
}

TEST(PluginLoader, LoadsWithoutAThread) {
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto before = threads();
  const auto plugin = plugin::load_plugin(TEST_PLUGIN);
  ASSERT_TRUE(plugin.has_value()) << plugin.error().sentence;
  EXPECT_TRUE((*plugin)->capabilities.speaks(gateway::Protocol::wsgi));
  EXPECT_EQ(threads(), before);
}

TEST(PluginLoader, RefusesAPluginOfAnotherBuild) {
  EXPECT_THAT(refusal_of(plugin::folder_of_this_object() + "/foreign_plugin.so"),
              HasSubstr("is of build another-build, this program of build "));
}

}  // namespace
}  // namespace pyhost::gateway
