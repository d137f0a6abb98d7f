#include "apache/request/random_id.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <span>

namespace pyhost::apache {
namespace {

class RandomBytes {
 public:
  // So many new ones, until the next call. PRECONDITION: there are no more than kBytes of them.
  std::span<const unsigned char> take(std::size_t count) {
    if (kBytes - used_ < count) refill();
    used_ += count;
    return std::span(bytes_).subspan(used_ - count, count);
  }

  static constexpr std::size_t kBytes = 512;

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

  std::array<unsigned char, kBytes> bytes_{};
  std::size_t used_ = kBytes;
};

thread_local RandomBytes random_bytes;

}  // namespace

std::string random_id(std::size_t digits) {
  constexpr char kDigits[] = "0123456789abcdef";
  RandomBytes& random = random_bytes;
  std::string id(digits, '0');
  bool is_zero = true;
  while (is_zero) {
    char* digit = id.data();
    for (const unsigned char byte : random.take(digits / 2)) {
      is_zero = is_zero && byte == 0;
      *digit++ = kDigits[byte >> 4];
      *digit++ = kDigits[byte & 0xf];
    }
  }
  return id;
}

}  // namespace pyhost::apache
