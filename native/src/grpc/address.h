// "host:port" and "[v6]:port", taken apart.
#pragma once

#include <string>

namespace efl {

struct HostAndPort {
  std::string host;  // without brackets
  std::string port;
};

inline HostAndPort SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

}  // namespace efl
