// EXPECT_ERROR(expression, message): it throws unroll::Error with exactly that message.
#pragma once

#include <string>

#include <unroll/autograd/error.hpp>

#define EXPECT_ERROR(expression, message)                                     \
  do {                                                                        \
    std::string told = "no error";                                            \
    try {                                                                     \
      static_cast<void>(expression);                                          \
    } catch (const unroll::Error& e) {                                        \
      told = e.what();                                                        \
    }                                                                         \
    BOOST_TEST(told == (message));                                            \
  } while (false)
