#include "httpd/digest.h"

#include <random>

#include "harness/command.h"
#include "harness/temp_dir.h"

namespace pyhost::test {

std::string varied_bytes(std::size_t bytes) {
  std::minstd_rand random(1);
  std::string text(bytes, '\0');
  for (char& byte : text) byte = static_cast<char>(random() >> 8);
  return text;
}

namespace {

std::string digits_of(const char* program, std::string_view text) {
  const TempDir folder;
  const std::string output = run_as_server_user({program, folder.write("bytes", text)}).output;
  return output.substr(0, output.find(' '));
}

}  // namespace

std::string sha256_of(std::string_view text) {
  return digits_of("/usr/bin/sha256sum", text);
}

std::string md5_of(std::string_view text) {
  return digits_of("/usr/bin/md5sum", text);
}

}  // namespace pyhost::test
