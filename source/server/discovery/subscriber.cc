#include "server/discovery/subscriber.h"

#include <utility>

#include "base/check.h"
#include "server/discovery/file_subscription.h"
#include "server/platform.h"

namespace sluice::server {

using model::ConfigSource;
using stats::ControlPlaneStat;

namespace {

// What goes with the headers of a stream.
std::vector<xds::RequestField> metadata_of(const model::ApiSource& source) {
  std::vector<xds::RequestField> out;
  for (const auto& [name, value] : source.metadata) {
    out.push_back({name, value});
  }
  return out;
}

xds::Options options_of(const model::ApiSource& source, xds::Options::Streams streams, const std::string& node) {
  using Protocol = model::ApiSource::Protocol;
  xds::Options out;
  out.protocol = source.protocol == Protocol::kSotw    ? xds::Options::Protocol::kSotw
                 : source.protocol == Protocol::kDelta ? xds::Options::Protocol::kDelta
                                                       : xds::Options::Protocol::kRest;
  out.streams = streams;
  out.node = node;
  out.send_node = source.node_once ? xds::Options::SendNode::kOnFirstMessage : xds::Options::SendNode::kAlways;
  out.metadata = metadata_of(source);
  out.back_off_base = source.back_off_base;
  out.back_off_max = source.back_off_max;
  if (source.rate_limited) {
    out.rate_limit = xds::Options::RateLimit{source.max_tokens, source.fill_rate};
  }
  out.refresh_delay = source.refresh_delay;
  out.request_timeout = source.request_timeout;
  return out;
}

// `ads: {}` without an ads_config in the bootstrap: nobody is asked, but the time of waiting has an end. Thread: main.
class Nowhere final : public config::Subscription {
 public:
  Nowhere(event::Loop& loop, Duration timeout, config::ResourceUser& user)
      : timer_(loop.timers(), [&user] { user.on_timeout(); }) {
    if (timeout.count() > 0) {
      timer_.arm(timeout);
    }
  }
  void ask(std::set<std::string, std::less<>>) override {}

 private:
  event::Timer timer_;
};

}  // namespace

// One control plane, and the way to it.
struct Subscriber::Plane {
  model::ApiSource source;
  std::unique_ptr<xds::AdsTransport> transport;
  std::unique_ptr<xds::ControlPlane> client;
};

Subscriber::Subscriber(const SubscriberSeams& seams, std::string node) : seams_(seams), node_(std::move(node)) {}
Subscriber::~Subscriber() = default;

std::unique_ptr<xds::AdsTransport> Subscriber::way_to(const model::ApiSource& source) {
  if (source.google_grpc) {
    auto by_grpc = seams_.platform.make_google_grpc(*source.google_grpc, seams_.registry, seams_.cells);
    SLUICE_CHECK(by_grpc != nullptr);
    return by_grpc;
  }
  xds::PoolAdsOptions way;
  way.authority = source.authority;
  way.machine_ip = machine_ip_;
  if (source.max_message_bytes > 0) {
    way.max_message = source.max_message_bytes;
  }
  return std::make_unique<xds::PoolAdsTransport>(
      seams_.upstreams.local(), [this, name = source.cluster] { return seams_.upstreams.clusters().find(name); },
      std::move(way));
}

bool Subscriber::speaks_delta(const ConfigSource& source) const {
  const model::ApiSource* api = source.api.get();  // of kApi
  if (source.kind == ConfigSource::Kind::kAds && ads_ != nullptr) {
    api = &ads_->source;
  }
  return api != nullptr && api->protocol == model::ApiSource::Protocol::kDelta;
}

void Subscriber::report_loads(const model::ApiSource& source, Function<xds::LoadReporter::Clusters()> clusters) {
  load_way_ = way_to(source);
  load_reporter_ = std::make_unique<xds::LoadReporter>(
      xds::LoadReporterSeams{seams_.platform.main_loop(), *load_way_, seams_.registry, seams_.cells}, node_,
      metadata_of(source), std::move(clusters));
  load_reporter_->start();
}

std::unique_ptr<Subscriber::Plane> Subscriber::make_plane(const model::ApiSource& source,
                                                          xds::Options::Streams streams) {
  auto plane = std::make_unique<Plane>();
  plane->source = source;
  plane->transport = way_to(source);
  plane->client = std::make_unique<xds::ControlPlane>(seams_.platform.main_loop(), seams_.platform.random(),
                                                      *plane->transport, options_of(source, streams, node_), history_);
  for (size_t type = 0; type < xds::kResourceTypes; ++type) {
    for (uint32_t i = 0; i < paused_[type]; ++i) {
      plane->client->pause(static_cast<config::ResourceType>(type));
    }
  }
  return plane;
}

void Subscriber::add_ads(const model::ApiSource& source) {
  block_ = seams_.cells.block<ControlPlaneStat>(seams_.registry.add_block<ControlPlaneStat>("control_plane."));
  ads_ = make_plane(source, xds::Options::Streams::kAggregated);
}

void Subscriber::open_ads() {
  if (ads_ != nullptr) {
    ads_->client->start();
  }
}

Subscriber::Plane& Subscriber::plane(const model::ApiSource& source) {
  for (const auto& known : others_) {
    if (known->source == source) {
      return *known;
    }
  }
  others_.push_back(make_plane(source, xds::Options::Streams::kSeparate));
  others_.back()->client->start();
  return *others_.back();
}

std::unique_ptr<config::Subscription> Subscriber::subscribe(const ConfigSource& source, xds::Interest interest,
                                                            config::ResourceUser& user) {
  switch (source.kind) {
    case ConfigSource::Kind::kNone:
    case ConfigSource::Kind::kFile:
      break;
    case ConfigSource::Kind::kAds:
      if (ads_ == nullptr) {
        return std::make_unique<Nowhere>(seams_.platform.main_loop(), source.initial_fetch_timeout, user);
      }
      return subscribe(*ads_->client, std::move(interest), user);
    case ConfigSource::Kind::kApi:
      return subscribe(*plane(*source.api).client, std::move(interest), user);
  }
  return std::make_unique<FileSubscription>(seams_.platform.files(), seams_.platform.main_loop(), source, user);
}

std::unique_ptr<config::Subscription> Subscriber::subscribe(xds::ControlPlane& client, xds::Interest interest,
                                                            config::ResourceUser& user) {
  if (last_good_ == nullptr) {
    return client.subscribe(std::move(interest), user);
  }
  return last_good_->keep(std::move(interest), user, [&client](xds::Interest wanted, config::ResourceUser& who) {
    return client.subscribe(std::move(wanted), who);
  });
}

void Subscriber::keep_last_good(std::string path) {
  last_good_ = std::make_unique<LastGood>(seams_.platform.files(), seams_.platform.main_loop(), std::move(path),
                                          seams_.registry, seams_.cells);
}

void Subscriber::pause(config::ResourceType type) {
  ++paused_[xds::index_of(type)];
  if (ads_ != nullptr) {
    ads_->client->pause(type);
  }
  for (const auto& plane : others_) {
    plane->client->pause(type);
  }
}

void Subscriber::resume(config::ResourceType type) {
  --paused_[xds::index_of(type)];
  if (ads_ != nullptr) {
    ads_->client->resume(type);
  }
  for (const auto& plane : others_) {
    plane->client->resume(type);
  }
}

void Subscriber::show() {
  if (ads_ == nullptr) {
    return;
  }
  const xds::Numbers& now = ads_->client->numbers();
  block_.set(ControlPlaneStat::kConnectedState, now.open_streams > 0 ? 1 : 0);
  block_.set(ControlPlaneStat::kPendingRequests, now.pending_requests);
  block_.add(ControlPlaneStat::kRateLimitEnforced,
             now.rate_limit_enforced - std::exchange(enforced_, now.rate_limit_enforced));
  seams_.registry.set_text("control_plane.identifier", now.identifier);
}

void Subscriber::clear() {
  load_reporter_.reset();
  load_way_.reset();
  ads_.reset();
  others_.clear();
}

xds::Interest interest_in(config::ResourceType type, std::string name, const ConfigSource& source) {
  xds::Interest out;
  out.type = type;
  out.names.insert(std::move(name));
  out.initial_fetch_timeout = source.initial_fetch_timeout;
  return out;
}

xds::Interest interest_in_all(config::ResourceType type, const ConfigSource& source) {
  xds::Interest out;
  out.type = type;
  out.scope = xds::Interest::Scope::kEverything;
  out.initial_fetch_timeout = source.initial_fetch_timeout;
  return out;
}

}  // namespace sluice::server
