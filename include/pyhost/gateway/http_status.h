// The statuses (RFC 9110, 15) with which requests are answered that have no reply of an
// application, and that of a WebSocket.
#pragma once

namespace pyhost::gateway {

inline constexpr int kSwitchingProtocols = 101;
inline constexpr int kBadRequest = 400;
inline constexpr int kForbidden = 403;
inline constexpr int kUpgradeRequired = 426;
inline constexpr int kInternalServerError = 500;
inline constexpr int kBadGateway = 502;
inline constexpr int kServiceUnavailable = 503;
inline constexpr int kGatewayTimeout = 504;

}  // namespace pyhost::gateway
