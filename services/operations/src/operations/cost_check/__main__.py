from operations.cost_check.cli import main

main()
