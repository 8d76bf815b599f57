"""Waivers that several stacks share. One for a single resource stands beside that resource."""

from datetime import date

from constructs_lib.waiver import Waiver

NEXT_REVIEW = date(2027, 11, 30)

NO_FLOW_LOGS = Waiver(
    reason="Nobody investigates refused packets where no real data is; flow logs would outweigh the bill.",
    until=NEXT_REVIEW,
)
NOT_WORTH_INSIGHTS = Waiver(
    reason="Container Insights bills per metric; here the free service metrics answer the same questions.",
    until=NEXT_REVIEW,
)
