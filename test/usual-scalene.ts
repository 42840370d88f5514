/** What Scalene is asked for where nobody asks for something else. */
export const usualScalene = {
  memory: true,
  gpu: false,
  stacks: false,
  cpu_sampling_rate: 0.01,
  allocation_window_bytes: null,
  profile_only: '',
  profile_exclude: '',
  profile_all: false,
  use_virtual_time: false,
} as const;
