// Report: what was found out, as a tree of sentences with the places in the configuration that they are about; printed
// for people or as JSON.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/origin.h"

namespace sluice::explain {

// One sentence, and what belongs under it. Thread: main.
struct Note {
  std::string topic;  // "listener", "route", "filter" ...: for machines, and in front of the sentence
  std::string text;
  std::string place;  // "FILE:LINE"; empty: of no place
  std::vector<Note> parts;

  Note& add(std::string topic_of, std::string text_of, std::string place_of = {}) {
    return parts.emplace_back(Note{std::move(topic_of), std::move(text_of), std::move(place_of), {}});
  }
};

// "FILE:LINE"; empty when it came from nowhere.
std::string place_of(const model::Origin& origin);

std::string print_text(const Note& report);
// {"topic": ..., "text": ..., "place": ..., "parts": [...]}; empty members are left out.
std::string print_json(const Note& report);

}  // namespace sluice::explain
