// Objects and texts that live as long as an httpd pool.
#pragma once

#include <memory_resource>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "apache/httpd_api.h"

namespace pyhost::apache {

// A T that is destroyed with the pool. Pools are not synchronised: call from their owner's thread.
template <class T, class... Arguments>
T* pool_new(apr_pool_t* pool, Arguments&&... arguments) {
  auto* object = new (apr_palloc(pool, sizeof(T))) T{std::forward<Arguments>(arguments)...};
  if constexpr (!std::is_trivially_destructible_v<T>) {
    apr_pool_cleanup_register(
        pool, object,
        [](void* data) -> apr_status_t {
          static_cast<T*>(data)->~T();
          return APR_SUCCESS;
        },
        apr_pool_cleanup_null);
  }
  return object;
}

// The memory of a pool, for what the standard library allocates; given back with the pool.
class PoolMemory final : public std::pmr::memory_resource {
 public:
  explicit PoolMemory(apr_pool_t* pool) noexcept : pool_(pool) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ap_assert(alignment <= APR_ALIGN_DEFAULT(1));
    return apr_palloc(pool_, bytes);
  }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  apr_pool_t* pool_;
};

// A copy of `text` with a NUL behind it.
inline std::string_view pool_copy(apr_pool_t* pool, std::string_view text) {
  return {apr_pstrmemdup(pool, text.data(), text.size()), text.size()};
}

// The same, for C.
inline const char* pool_c_string(apr_pool_t* pool, std::string_view text) {
  return apr_pstrmemdup(pool, text.data(), text.size());
}

// The request whose pool lives until the whole reply has been sent: a subrequest's goes before.
inline request_rec* main_request(request_rec* r) {
  while (r->main != nullptr) r = r->main;
  return r;
}

// httpd uses null for texts that are not there.
inline std::string_view view_or_empty(const char* text_or_null) {
  return text_or_null == nullptr ? "" : text_or_null;
}

}  // namespace pyhost::apache
