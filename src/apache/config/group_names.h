// Expansion of %{GLOBAL}, %{RESOURCE}, %{SERVER}, %{HOST} and %{ENV:name}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::apache {

// What names may be made of for one request. Nothing the client chooses freely is among it.
class NameSource {
 public:
  virtual ~NameSource() = default;

  virtual std::string_view server_name() const = 0;
  // The Host name of the request when it is a name of the virtual host, otherwise server_name().
  virtual std::string_view host_name() const = 0;
  virtual unsigned port() const = 0;  // of the configuration or the listener
  virtual std::string_view script_name() const = 0;
  // A request note, a variable of the request, or one of the process.
  virtual std::optional<std::string_view> variable(std::string_view name) const = 0;
};

// The application or process group that `name` means; "" is the main interpreter, or the httpd
// child. Host names come out in lower case. A text that is no token is the name itself. The value
// of
// %{ENV:name} may be another token, but no %{ENV:name}; nothing when there is none, or such a one.
std::optional<std::string> expand_group(std::string_view name, const NameSource& source);

// The callable that WSGICallableObject `name` means; nothing for an %{ENV:name} without a value.
std::optional<std::string_view> expand_callable(std::string_view name, const NameSource& source);

}  // namespace pyhost::apache
