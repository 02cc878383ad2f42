"""`--task catalog`: which category a product picture shows, and is it fit to be shown?"""
