#include "apache/request/random_id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace pyhost::apache {
namespace {

class RandomBytes {
 public:
  unsigned char next() {
    if (used_ == bytes_.size()) refill();
    return bytes_[used_++];
  }

 private:
  void refill() {
    for (std::size_t filled = 0; filled < bytes_.size();) {
      const ssize_t got = getrandom(bytes_.data() + filled, bytes_.size() - filled, 0);
      if (got > 0) filled += static_cast<std::size_t>(got);
      // It fails for no other reason with such arguments.
      if (got < 0 && errno != EINTR) std::abort();
    }
    used_ = 0;
  }

  std::array<unsigned char, 512> bytes_{};
  std::size_t used_ = bytes_.size();
};

thread_local RandomBytes random_bytes;

}  // namespace

std::string random_id(std::size_t digits) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  bool is_zero = true;
  while (is_zero) {
    id.clear();
    while (id.size() < digits) {
      const unsigned char byte = random_bytes.next();
      is_zero = is_zero && byte == 0;
      id += kDigits[byte >> 4];
      id += kDigits[byte & 0xf];
    }
  }
  return id;
}

}  // namespace pyhost::apache
