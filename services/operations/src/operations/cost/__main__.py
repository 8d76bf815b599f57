from operations.cost.cli import main

main()
