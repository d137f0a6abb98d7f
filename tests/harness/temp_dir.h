// A folder that lives as long as a test.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::test {

// Made under $TMPDIR or /tmp, open to every user (httpd's children run as another one); removed
// with all it holds at the end, and the running test fails if that does not work.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::string& path() const noexcept { return path_; }

  // Writes a file, making the folders above it; readable by every user. Returns its whole path.
  std::string write(std::string_view relative, std::string_view text) const;

  // Makes a folder that every user can write to. Returns its whole path.
  std::string make_writable(std::string_view relative) const;

  // Copies a file or folder in, under its own name below `folder`. Returns its whole path.
  std::string copy(const std::string& source, std::string_view folder) const;

 private:
  std::string path_;
};

// Replaces a file in one step, as deployments do it. Its modification time is another one even if
// the kernel's clock for files has not moved on, which a busy machine keeps standing for a while.
void replace_file(const std::string& path, std::string_view text);

// The whole file; empty when it cannot be read.
std::string read_file(const std::string& path);

}  // namespace pyhost::test
