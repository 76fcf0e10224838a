# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: real brokers, the programs as processes, events, naive expectations."""
