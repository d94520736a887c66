#include "config/core_compiler.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/strings.h"
#include "net/internal_address.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;

std::optional<net::Address> compile_ip(const core::SocketAddress& socket, CompileScope& scope) {
  using S = core::SocketAddress;
  if (socket.port_specifier_case() == S::kNamedPort) {
    scope.not_supported(socket, S::kNamedPortFieldNumber);
    return std::nullopt;
  }
  if (!socket.resolver_name().empty()) {
    scope.not_supported(socket, S::kResolverNameFieldNumber);
    return std::nullopt;
  }
  if (!socket.network_namespace_filepath().empty()) {
    scope.not_supported(socket, S::kNetworkNamespaceFilepathFieldNumber);
    return std::nullopt;
  }
  auto address = net::Address::from_ip(socket.address(), static_cast<uint16_t>(socket.port_value()));
  if (address) return *address;
  scope.error(socket, S::kAddressFieldNumber,
              cat(address.error(), "; names are for STRICT_DNS and LOGICAL_DNS clusters"));
  return std::nullopt;
}

std::optional<net::Address> compile_socket_address(const core::SocketAddress& socket, CompileScope& scope) {
  if (socket.protocol() != core::SocketAddress::UDP) return compile_ip(socket, scope);
  scope.error(socket, core::SocketAddress::kProtocolFieldNumber, "not supported yet: protocol UDP");
  return std::nullopt;
}

std::optional<net::Address> compile_pipe(const core::Pipe& pipe, CompileScope& scope) {
  auto address = net::Address::from_unix(pipe.path());
  if (address && net::is_internal(*address)) {
    scope.error(pipe, core::Pipe::kPathFieldNumber, "is the address of an internal listener: envoy_internal_address");
    return std::nullopt;
  }
  if (address) return *address;
  scope.error(pipe, core::Pipe::kPathFieldNumber, address.error());
  return std::nullopt;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return in.bad() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

std::optional<net::Address> compile_address(const core::Address& address, CompileScope& scope) {
  switch (address.address_case()) {
    case core::Address::kSocketAddress:
      return compile_socket_address(address.socket_address(), scope);
    case core::Address::kPipe:
      return compile_pipe(address.pipe(), scope);
    case core::Address::kEnvoyInternalAddress:
      scope.error(address, core::Address::kEnvoyInternalAddressFieldNumber,
                  "is for endpoints; a listener has the field internal_listener in place of an address");
      return std::nullopt;
    case core::Address::ADDRESS_NOT_SET:
      break;  // validation has told
  }
  return std::nullopt;
}

std::optional<net::Address> compile_datagram_address(const core::Address& address, CompileScope& scope) {
  return address.has_socket_address() ? compile_ip(address.socket_address(), scope) : compile_address(address, scope);
}

std::optional<net::Address> compile_listen_address(const core::Address& address, net::ListenOptions& socket,
                                                   CompileScope& scope) {
  socket.ipv4_compat = address.socket_address().ipv4_compat();
  socket.unix_mode = address.pipe().mode();
  const auto out = compile_address(address, scope);
  if (socket.ipv4_compat && out && out->kind() != net::AddressKind::kIp6) {
    scope.error(address.socket_address(), core::SocketAddress::kIpv4CompatFieldNumber, "is for IPv6 addresses");
  }
  if (socket.unix_mode != 0 && address.pipe().path().starts_with('@')) {
    scope.error(address.pipe(), core::Pipe::kModeFieldNumber, "an abstract name has no file mode");
  }
  return out;
}

std::vector<net::Cidr> compile_ranges(const google::protobuf::RepeatedPtrField<core::CidrRange>& ranges,
                                      CompileScope& scope) {
  std::vector<net::Cidr> out;
  for (const core::CidrRange& range : ranges) {
    // Envoy takes a missing length for 0, which is the whole family.
    auto cidr = net::Cidr::from(range.address_prefix(), range.prefix_len().value());
    if (cidr) {
      out.push_back(*cidr);
    } else {
      scope.error(range, core::CidrRange::kAddressPrefixFieldNumber, cidr.error());
    }
  }
  return out;
}

std::optional<std::string> read_data_source(const core::DataSource& source, CompileScope& scope) {
  if (source.has_watched_directory()) scope.not_supported(source, core::DataSource::kWatchedDirectoryFieldNumber);
  switch (source.specifier_case()) {
    case core::DataSource::kInlineString:
      return source.inline_string();
    case core::DataSource::kInlineBytes:
      return source.inline_bytes();
    case core::DataSource::kFilename: {
      auto text = read_file(source.filename());
      if (!text)
        scope.error(source, core::DataSource::kFilenameFieldNumber, cat("cannot read '", source.filename(), "'"));
      return text;
    }
    case core::DataSource::kEnvironmentVariable: {
      const char* value = std::getenv(source.environment_variable().c_str());
      if (value != nullptr) return std::string(value);
      scope.error(source, core::DataSource::kEnvironmentVariableFieldNumber,
                  cat("the environment has no variable '", source.environment_variable(), "'"));
      return std::nullopt;
    }
    case core::DataSource::SPECIFIER_NOT_SET:
      break;  // validation has told
  }
  return std::nullopt;
}

}  // namespace sluice::config
