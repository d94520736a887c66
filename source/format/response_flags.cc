#include "format/response_flags.h"

namespace sluice::format {
namespace {

struct Names {
  std::string_view brief, full;
};

constexpr Names kFlags[] = {
    {"LH", "FailedLocalHealthCheck"},
    {"UH", "NoHealthyUpstream"},
    {"UT", "UpstreamRequestTimeout"},
    {"LR", "LocalReset"},
    {"UR", "UpstreamRemoteReset"},
    {"UF", "UpstreamConnectionFailure"},
    {"UC", "UpstreamConnectionTermination"},
    {"UO", "UpstreamOverflow"},
    {"NR", "NoRouteFound"},
    {"DI", "DelayInjected"},
    {"FI", "FaultInjected"},
    {"RL", "RateLimited"},
    {"UAEX", "UnauthorizedExternalService"},
    {"RLSE", "RateLimitServiceError"},
    {"DC", "DownstreamConnectionTermination"},
    {"URX", "UpstreamRetryLimitExceeded"},
    {"SI", "StreamIdleTimeout"},
    {"IH", "InvalidEnvoyRequestHeaders"},
    {"DPE", "DownstreamProtocolError"},
    {"UMSDR", "UpstreamMaxStreamDurationReached"},
    {"RFCF", "ResponseFromCacheFilter"},
    {"NFCF", "NoFilterConfigFound"},
    {"DT", "DurationTimeout"},
    {"UPE", "UpstreamProtocolError"},
    {"NC", "NoClusterFound"},
    {"OM", "OverloadManagerTerminated"},
    {"DF", "DnsResolutionFailed"},
    {"DO", "DropOverload"},
    {"DR", "DownstreamRemoteReset"},
    {"UDO", "UnconditionalDropOverload"},
};
static_assert(std::size(kFlags) == static_cast<size_t>(Flag::kCount));

constexpr std::string_view kLogTypes[] = {"NotSet",
                                          "TcpUpstreamConnected",
                                          "TcpPeriodic",
                                          "TcpConnectionEnd",
                                          "DownstreamStart",
                                          "DownstreamPeriodic",
                                          "DownstreamEnd",
                                          "UpstreamPoolReady",
                                          "UpstreamPeriodic",
                                          "UpstreamEnd",
                                          "DownstreamTunnelSuccessfullyEstablished",
                                          "UdpTunnelUpstreamConnected",
                                          "UdpPeriodic",
                                          "UdpSessionEnd",
                                          "TcpConnectionStart"};
static_assert(std::size(kLogTypes) == static_cast<size_t>(LogType::kCount));

}  // namespace

std::string_view short_name(Flag flag) { return kFlags[static_cast<size_t>(flag)].brief; }
std::string_view long_name(Flag flag) { return kFlags[static_cast<size_t>(flag)].full; }

std::optional<Flag> flag_of(std::string_view short_name) {
  for (size_t i = 0; i < std::size(kFlags); ++i) {
    if (kFlags[i].brief == short_name) {
      return static_cast<Flag>(i);
    }
  }
  return std::nullopt;
}

void append_flags(std::string& to, Flags flags, FlagNames names) {
  if (!flags.any()) {
    to += '-';
    return;
  }
  bool first = true;
  flags.for_each([&](Flag flag) {
    if (!first) {
      to += ',';
    }
    first = false;
    to += names == FlagNames::kShort ? short_name(flag) : long_name(flag);
  });
}

std::string_view name_of(LogType type) { return kLogTypes[static_cast<size_t>(type)]; }

}  // namespace sluice::format
