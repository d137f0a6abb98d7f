#include "harness/temp_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/wait.h"

namespace pyhost::test {

namespace fs = std::filesystem;

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base != nullptr ? base : "/tmp") + "/pyhost-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr || chmod(pattern.c_str(), 0755) != 0) {
    ADD_FAILURE() << pattern << " could not be made";
  }
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) ADD_FAILURE() << path_ << " could not be removed: " << error.message();
}

std::string TempDir::write(std::string_view relative, std::string_view text) const {
  const fs::path file = fs::path(path_) / relative;
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
  chmod(file.c_str(), 0644);
  return file;
}

std::string TempDir::make_writable(std::string_view relative) const {
  const fs::path folder = fs::path(path_) / relative;
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::all);
  return folder;
}

std::string TempDir::copy(const std::string& source, std::string_view folder) const {
  const fs::path into = fs::path(path_) / folder;
  fs::create_directories(into);
  const fs::path target = into / fs::path(source).filename();
  fs::copy(source, target, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return target;
}

void replace_file(const std::string& path, std::string_view text) {
  const fs::path next = path + ".next";
  EXPECT_TRUE(wait_until([&] {
    std::ofstream(next, std::ios::binary | std::ios::trunc) << text;
    std::error_code is_new;
    return fs::last_write_time(next) != fs::last_write_time(path, is_new);
  }));
  fs::rename(next, path);
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

}  // namespace pyhost::test
