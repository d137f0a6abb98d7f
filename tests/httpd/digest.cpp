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

std::string sha256_of(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  const TempDir folder;
  return run_as_server_user({"/usr/bin/sha256sum", folder.write("bytes", text)})
      .output.substr(0, kDigits);
}

}  // namespace pyhost::test
