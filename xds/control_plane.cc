#include "xds/control_plane.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "xds/delta_session.h"
#include "xds/rest_session.h"
#include "xds/session.h"
#include "xds/sotw_session.h"
#include "xds/watch.h"

namespace sluice::xds {

ControlPlane::ControlPlane(event::Loop& loop, Random& random, AdsTransport& transport, Options options,
                           History& history)
    : loop_(loop), random_(random), transport_(transport), options_(std::move(options)), history_(history) {
  if (options_.streams == Options::Streams::kAggregated && options_.protocol != Options::Protocol::kRest) {
    sessions_.push_back(make_session(nullptr));
  }
}

ControlPlane::~ControlPlane() = default;

void ControlPlane::start() {
  if (!std::exchange(started_, true)) {
    for (const auto& session : sessions_) {
      session->start();
    }
  }
}

std::unique_ptr<Session> ControlPlane::make_session(const Interest* only) {
  switch (options_.protocol) {
    case Options::Protocol::kSotw:
      return std::make_unique<SotwSession>(*this, only);
    case Options::Protocol::kDelta:
      return std::make_unique<DeltaSession>(*this, only);
    case Options::Protocol::kRest:
      break;
  }
  return std::make_unique<RestSession>(*this, *only);
}

Session& ControlPlane::session_for(const Interest& interest) {
  if (options_.streams == Options::Streams::kAggregated && options_.protocol != Options::Protocol::kRest) {
    return *sessions_.front();
  }
  const auto same =
      std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& session) { return session->serves(interest); });
  if (same != sessions_.end()) {
    return **same;
  }
  Session& session = *sessions_.emplace_back(make_session(&interest));
  if (started_) {
    session.start();
  }
  return session;
}

std::unique_ptr<config::Subscription> ControlPlane::subscribe(Interest interest, config::ResourceUser& user) {
  SLUICE_CHECK(interest.scope != Interest::Scope::kEverything || interest.names.empty());
  Session& session = session_for(interest);
  auto watch = std::make_unique<Watch>(loop_.timers(), std::move(interest), user);
  session.add(*watch);
  return watch;
}

void ControlPlane::retire(Session& session) {
  session.stop();
  const auto found =
      std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& each) { return each.get() == &session; });
  loop_.destroy_later(std::move(*found));
  sessions_.erase(found);
}

void ControlPlane::pause(config::ResourceType type) { ++paused_[index_of(type)]; }

void ControlPlane::resume(config::ResourceType type) {
  SLUICE_CHECK(paused_[index_of(type)] > 0);
  if (--paused_[index_of(type)] > 0) {
    return;
  }
  for (const auto& session : sessions_) {
    if (!session->paused(type)) {
      session->resumed(type);
    }
  }
}

}  // namespace sluice::xds
