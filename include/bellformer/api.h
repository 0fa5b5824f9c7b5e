/* What stands between BF_API_BEGIN and BF_API_END is what the library offers: its names are seen outside of the
 * library, which hides all others, and C++ takes them as C. BF_API alone marks a single name, in a program's plug-in
 * too. */
#pragma once

#define BF_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define BF_API_BEGIN                                                                                                   \
  extern "C" {                                                                                                         \
  _Pragma("GCC visibility push(default)")
#define BF_API_END                                                                                                     \
  _Pragma("GCC visibility pop")                                                                                        \
  }
#else
#define BF_API_BEGIN _Pragma("GCC visibility push(default)")
#define BF_API_END _Pragma("GCC visibility pop")
#endif
